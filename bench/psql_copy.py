"""The peer of batch jobs: `psql` COPY out of the source piped into a staging table of the target, then one merge."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.errors import BenchError
from bench.stage import BENCH_SCHEMA, Stage
from flows.batch_model import AggregateFlow
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from flows.tables import Database
from settings import Database as Address
from stack.postgres_home import ensure_home

NAME = "psql copy + merge"
Copied = MirrorFlow | SummaryFlow | AggregateFlow


@dataclass(frozen=True)
class PsqlCopy:
    """Copies a flow's rows, mapped by the same transforms, into a table that is shaped like its target."""

    stage: Stage
    flow: Copied

    @property
    def table(self) -> str:
        """Its own."""
        return f"{BENCH_SCHEMA}.{self.flow.name}_copy"

    @cached_property
    def _psql(self) -> str:
        return str(ensure_home(self.stage.stack.folder).programs / "psql")

    def prepare(self) -> None:
        """Give it what stands in the target now."""
        target, user = self.stage.of(self.flow.target.table.database), self._address(self.flow.target.table.database).user
        target.rows(f"DROP TABLE IF EXISTS {self.table}")
        target.rows(f"CREATE TABLE {self.table} (LIKE {self.flow.target.table.qualified} INCLUDING ALL)")
        target.rows(f"INSERT INTO {self.table} SELECT * FROM {self.flow.target.table.qualified}")  # noqa: S608 names of the definition
        target.rows(f"ALTER TABLE {self.table} OWNER TO {user}")
        target.rows(f"ANALYZE {self.table}")

    def run(self) -> float:
        """Copy and merge; seconds."""
        columns = self.flow.target.column_names
        commands = [
            f"CREATE TEMP TABLE staging AS SELECT {', '.join(columns)} FROM {self.table} WHERE false",  # noqa: S608
            "COPY staging FROM STDIN",
            self._merge(columns),
        ]
        began = time.perf_counter()
        out = self._started(self.flow.source.table.database, [f"COPY ({expected(self.flow)}) TO STDOUT"], None)
        into = self._started(self.flow.target.table.database, commands, out)
        codes = into.wait(), out.wait()
        if codes != (0, 0):
            raise BenchError(f"{NAME} of {self.flow.name} ended with codes {codes}")
        return time.perf_counter() - began

    def verify(self) -> None:
        """Its table and the target hold the same; raises ``BenchError``."""
        columns, target = ", ".join(self.flow.target.column_names), self.flow.target.table
        both = [f"SELECT {columns} FROM {name}" for name in (self.table, target.qualified)]  # noqa: S608
        statement = f"SELECT count(*) FROM (({both[0]} EXCEPT {both[1]}) UNION ALL ({both[1]} EXCEPT {both[0]})) AS d"  # noqa: S608
        if differing := self.stage.of(target.database).value(statement):
            raise BenchError(f"{differing:,} rows of {target.qualified} and {self.table} differ")

    def _merge(self, columns: Sequence[str]) -> str:
        key = self.flow.target.key
        data = [name for name in columns if name not in key]
        same = " AND ".join(f"s.{name} = t.{name}" for name in key)
        pairs = [", ".join(f"{row}.{name}" for name in data) for row in ("t", "excluded")]
        return f"""
            WITH gone AS (DELETE FROM {self.table} AS t WHERE NOT EXISTS (SELECT FROM staging AS s WHERE {same}))
            INSERT INTO {self.table} AS t ({", ".join(columns)}) SELECT * FROM staging
            ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in data)}
            WHERE ({pairs[0]}) IS DISTINCT FROM ({pairs[1]})
            """  # noqa: S608 names of the definition

    def _started(self, database: Database, commands: list[str], stdin: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes]:
        address = self._address(database).conninfo()
        environment = {**os.environ, "PGPASSWORD": address["password"], "PGTZ": "UTC"}
        argv = [
            self._psql,
            "--quiet",
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            "--host",
            address["host"],
            "--port",
            address["port"],
        ]
        argv += ["--username", address["user"], address["dbname"], *(f"--command={command}" for command in commands)]
        given = subprocess.DEVNULL if stdin is None else stdin.stdout
        out = subprocess.PIPE if stdin is None else subprocess.DEVNULL
        return subprocess.Popen(argv, env=environment, stdin=given, stdout=out)

    def _address(self, database: Database) -> Address:
        return self.stage.address_of(database)


def expected(flow: Copied) -> str:
    """What the target is to hold, as a SELECT over the source."""
    if isinstance(flow, AggregateFlow):
        return _groups(flow)
    if isinstance(flow, SummaryFlow):
        return _newest(flow)
    columns = ", ".join(f"{column.sql(f's.{column.source}')} AS {column.name}" for column in flow.target.columns)
    return f"SELECT {columns} FROM {flow.source.table.qualified} AS s"  # noqa: S608 names of the definition


def _newest(flow: SummaryFlow) -> str:
    through, group = flow.through, flow.reference.column
    referred, family = (through.target.column(name) for name in (flow.reference.key, flow.reference.value))
    columns = ", ".join(
        f"r.{family.source}" if column.name == group else column.sql(f"s.{column.source}") for column in flow.target.columns
    )
    return f"""
        SELECT DISTINCT ON (r.{family.source}) {columns} FROM {flow.source.table.qualified} AS s
        JOIN {through.source.table.qualified} AS r ON r.{referred.source} = s.{flow.reference_source.name}
        WHERE r.{family.source} IS NOT NULL
        ORDER BY r.{family.source}, s.{flow.target.column(flow.time).source} DESC, s.{flow.source.primary_key} DESC
        """  # noqa: S608 names of the definition


def _groups(flow: AggregateFlow) -> str:
    measures = dict(flow.measures)
    keys = [_key(flow, name) for name in flow.target.key]
    columns = ", ".join(
        column.sql(f"{measures[column.name]}(s.{column.source})") if column.name in measures else _key(flow, column.name)
        for column in flow.target.columns
    )
    return f"SELECT {columns} FROM {flow.source.table.qualified} AS s GROUP BY {', '.join(keys)}"  # noqa: S608


def _key(flow: AggregateFlow, name: str) -> str:
    source = f"s.{flow.target.column(name).source}"
    return f"({source} AT TIME ZONE '{flow.zone}')::date" if name == flow.day else source
