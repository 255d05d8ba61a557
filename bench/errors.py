"""What ends a benchmark before it has a figure."""


class BenchError(Exception):
    """A contender died, did not finish in time, or left other rows than it should have; the message says which."""
