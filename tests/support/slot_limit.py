"""How much of the log replication slots may hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.databases import Administrator


@contextmanager
def slots_limited_to(administrator: Administrator, size: str) -> Iterator[None]:
    """A limit, as PostgreSQL spells it, while the block runs."""
    administrator.rows(f"ALTER SYSTEM SET max_slot_wal_keep_size = '{size}'")
    administrator.rows("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        administrator.rows("ALTER SYSTEM RESET max_slot_wal_keep_size")
        administrator.rows("SELECT pg_reload_conf()")
