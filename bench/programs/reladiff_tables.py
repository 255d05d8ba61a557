"""reladiff 0.6 between two tables, one in each database, which have the same columns.

Runs in an environment of its own, without the project. Arguments: the two tables as SCHEMA.TABLE, the key, the other columns
comma-separated. The databases come from the environment, ``SYNC_WAREHOUSE__…`` and ``SYNC_CITIZEN__…``. Prints one JSON document:
``rows`` that differ and ``seconds``.
"""

import json
import os
import sys
import time
from urllib.parse import quote

from reladiff import connect_to_table, diff_tables  # type: ignore[import-not-found]

#: As many connections to each database as the product's runs have.
THREADS = 5


def main(source: str, target: str, key: str, columns: str) -> None:
    """Compare."""
    others = tuple(columns.split(","))
    sides = [
        connect_to_table(_address(name), tuple(table.split(".")), key, thread_count=THREADS, extra_columns=others)
        for name, table in (("WAREHOUSE", source), ("CITIZEN", target))
    ]
    began = time.perf_counter()
    found = {row[0] for _, row in diff_tables(*sides, extra_columns=others)}
    print(json.dumps({"rows": len(found), "seconds": time.perf_counter() - began}))


def _address(name: str) -> str:
    host, port, database, user, password = (
        os.environ[f"SYNC_{name}__{part}"] for part in ("HOST", "PORT", "DBNAME", "USER", "PASSWORD")
    )
    return f"postgresql://{quote(user)}:{quote(password)}@{host}:{port}/{database}"


if __name__ == "__main__":
    main(*sys.argv[1:])
