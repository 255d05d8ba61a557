"""The import rules of the design, as `lint-imports` checks them; and the proof that it would notice a breach."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stack.folder import PROJECT_ROOT

CONFIGURATION = PROJECT_ROOT / "pyproject.toml"
RULES = tomllib.loads(CONFIGURATION.read_text())["tool"]["importlinter"]
# What a pure definition must not know: the time, the machine, chance.
IMPURE = frozenset({"asyncio", "os", "pathlib", "random", "socket", "subprocess", "threading", "time"})

# One line of code for every contract that breaks it.
BREACHES = {
    "definitions": ("flows/model.py", "import msgspec"),
    "wire": ("schemas/topics.py", "import sinks.pool"),
    "databases": ("sinks/pool.py", "import schemas.topics"),
    "state": ("tables/ranking.py", "import sinks.sqlstate"),
    "events": ("streams/chunk.py", "import cli.output"),
    "intake": ("callbacks/rate_limit.py", "import streams.outage"),
    "batches": ("batch_timers/slots.py", "import streams.outage"),
    "pages": ("views/__init__.py", "import streams.outage"),
    "measures": ("metrics/samples.py", "import streams.outage"),
    "comparison": ("reconcile/judging.py", "import streams.outage"),
    "calls": ("alerts/model.py", "import streams.outage"),
    "commands": ("cli/output.py", "import demo.pace"),
    "platform": ("stack/backoff.py", "import flows.types"),
    "composition": ("demo/pace.py", "import app.composition"),
    "driver": ("streams/outage.py", "import aiopg"),
    "framework": ("sinks/pool.py", "import faust"),
}


def packages() -> list[str]:
    """The project's own top-level packages that hold code, the tests aside."""
    return sorted(found.parent.name for found in PROJECT_ROOT.glob("*/__init__.py"))


def imported_roots(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": str(project)}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def breached(tmp_path):
    """A copy of the project in which every contract is broken once."""
    for package in packages():
        shutil.copytree(PROJECT_ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (CONFIGURATION, PROJECT_ROOT / "settings.py"):
        shutil.copy(file, tmp_path)
    for name, line in BREACHES.values():
        file = tmp_path / name
        file.write_text(file.read_text() + f"\n{line}\n")
    return tmp_path


def test_every_import_keeps_the_rules():
    done = lint(PROJECT_ROOT)
    assert done.returncode == 0, done.stdout


def test_every_rule_notices_its_breach(breached):
    done = lint(breached)
    names = {contract["id"]: contract["name"] for contract in RULES["contracts"]}
    assert done.returncode == 1
    assert names.keys() == BREACHES.keys()
    assert [name for name in names.values() if f"{name} BROKEN" not in done.stdout] == [], done.stdout


def test_every_package_is_under_the_rules():
    assert sorted(RULES["root_packages"]) == packages()


def test_definitions_import_the_standard_library_only_and_nothing_impure():
    allowed = (sys.stdlib_module_names - IMPURE) | {"flows"}
    found = {file.name: imported_roots(file) - allowed for file in (PROJECT_ROOT / "flows").rglob("*.py")}
    assert {name: roots for name, roots in found.items() if roots} == {}


def test_settings_import_nothing_of_the_project():
    assert imported_roots(PROJECT_ROOT / "settings.py").isdisjoint(packages())
