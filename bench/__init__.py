"""Benchmarks: the product beside its peers, in one run, over the same records, every result verified."""
