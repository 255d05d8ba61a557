"""Pools of both databases, for commands that do what workers do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flows.tables import Database
from settings import Settings
from sinks.pool import Pool


@asynccontextmanager
async def open_pools(settings: Settings) -> AsyncIterator[dict[Database, Pool]]:
    """Give pools inside the block; they connect when first used."""
    pools = {database: Pool(settings.databases[database.value]) for database in Database}
    try:
        yield pools
    finally:
        for pool in pools.values():
            await pool.close()
