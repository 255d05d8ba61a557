"""The settings table of docs/operations.md says of every variable what the settings of workers and of the intake say."""

import re
from collections.abc import Iterator
from typing import Any, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from callbacks.settings import IntakeSettings
from settings import Settings
from stack.folder import PROJECT_ROOT
from tests.support.environment import SWITCHES

DOCUMENT = PROJECT_ROOT / "docs" / "operations.md"
KINDS = (Settings, IntakeSettings)
# Read by `load` itself.
FURTHER = {"SYNC_ENV_FILE": "-"}
COMPUTED = {"SYNC_WORKER__NAME": "host and process id"}
# "the same for the other database", says the document.
TWIN, SHOWN = "SYNC_CITIZEN", "SYNC_WAREHOUSE"
MENTIONED = re.compile(r"\bSYNC_[A-Z_]+[A-Z]\b")


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    if get_origin(field.annotation) is dict:
        return None  # one variable that holds JSON
    kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)


def shown(name: str, field: FieldInfo, needed: str) -> str:
    """A default as the table spells it."""
    if name in COMPUTED:
        return COMPUTED[name]
    if field.is_required():
        return needed
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return {"None": "-", "": "empty"}.get(str(value), f"{value:g}" if isinstance(value, float) else str(value))


def variables() -> dict[str, str]:
    """Every variable with its default."""
    return dict(each for kind in KINDS for each in variables_of(kind))


def variables_of(model: type[BaseModel], prefix: str = "SYNC_", needed: str = "required") -> Iterator[tuple[str, str]]:
    """Every variable with its default; of a section that may be left out nothing is required."""
    for part, field in model.model_fields.items():
        name, section = f"{prefix}{part.upper()}", section_of(field)
        if section is None:
            yield name, shown(name, field, needed)
        else:
            yield from variables_of(section, f"{name}__", "-" if field.default is None else "required")


def names_of(cell: str) -> Iterator[str]:
    """`SYNC_A__B`, `__C` stands for SYNC_A__B and SYNC_A__C."""
    section = ""
    for name in re.findall(r"`(\w+)`", cell):
        section = section if name.startswith("__") else name.partition("__")[0]
        yield section + name if name.startswith("__") else name


def table() -> Iterator[tuple[str, str]]:
    _, _, section = DOCUMENT.read_text().partition("\n## Settings\n")
    for line in section.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `SYNC_"):
            yield from ((name, cells[1].strip("`")) for name in names_of(cells[0]))


def test_every_variable_is_in_the_table_with_its_default_and_no_other_is():
    wanted = {name: default for name, default in variables().items() if not name.startswith(TWIN)} | FURTHER
    assert dict(table()) == wanted


def test_no_variable_is_in_the_table_twice():
    names = [name for name, _ in table()]
    assert len(names) == len(set(names))


def test_the_variables_of_the_other_database_are_the_same():
    found = variables()
    twins = {name.replace(TWIN, SHOWN): default for name, default in found.items() if name.startswith(TWIN)}
    assert twins == {name: default for name, default in found.items() if name.startswith(SHOWN)}
    assert all(f"`{TWIN}{part}__…`" in DOCUMENT.read_text() for part in ("", "_ADMIN", "_CONNECT"))


def documents() -> list[Any]:
    return [pytest.param(file, id=file.name) for file in (PROJECT_ROOT / "README.md", *(PROJECT_ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("file", documents())
def test_no_document_speaks_of_a_variable_that_does_not_exist(file):
    known = variables().keys() | FURTHER.keys()
    sections = {name.partition("__")[0] for name in known}
    mentioned = {name for name in MENTIONED.findall(file.read_text()) if not name.startswith(SWITCHES)}
    assert mentioned - known - sections == set()
