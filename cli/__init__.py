"""Operator commands: ``python -m cli``. Exit codes: 0 done, 1 problem found, 2 usage or settings."""
