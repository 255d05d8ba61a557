"""The state's welfare schemes: 200 invented names, composed of a sector's groups and forms of help."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from demo.identifiers import identifier

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sector:
    """One department: each of its groups of people gets each of its forms of help."""

    prefix: str
    category: str
    department: str
    groups: tuple[str, str, str, str]
    forms: tuple[str, str, str, str, str]
    separator: str = "-"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A row of the catalogue. ``number`` counts from 0 in catalogue order."""

    number: int
    scheme_id: UUID
    code: str
    name: str
    group: str
    sector: Sector


TITLES = ("Mukhyamantri", "Rajya", "Jan", "Nav", "Gramin", "Samagra", "Sarvajan")

# Two departments kept the lower-case codes of an older system: text order depends on the collation, as in real life.
SECTORS = (
    Sector(
        "AGR", "Agriculture", "Department of Agriculture and Farmer Welfare",
        ("Laghu Krishak", "Bagwani", "Pashupalak", "Matsya Palak"),
        ("Fasal Suraksha", "Beej Anudan", "Sinchai Sahayata", "Yantra Rin", "Bhandaran"),
    ),
    Sector(
        "EDU", "Education", "Department of School and Higher Education",
        ("Vidyarthi", "Balika", "Shodharthi", "Divyang Chhatra"),
        ("Chhatravritti", "Pustak Sahayata", "Chhatravas", "Cycle Vitaran", "Shulk Vapsi"),
    ),
    Sector(
        "HLT", "Health", "Department of Medical and Health Services",
        ("Arogya", "Matru", "Vriddhjan", "Shramik"),
        ("Nidan", "Upchar Sahayata", "Aushadhi", "Poshan", "Swasthya Kavach"),
    ),
    Sector(
        "wcd", "Women and Child", "Department of Women and Child Development",
        ("Nari", "Kishori", "Shishu", "Vidhva"),
        ("Shakti", "Poshahar", "Suraksha", "Svavlamban", "Protsahan"),
        separator="_",
    ),
    Sector(
        "SOC", "Social Security", "Department of Social Justice and Empowerment",
        ("Vriddh", "Divyang", "Ekal Nari", "Nirashrit"),
        ("Pension", "Samman", "Sahara", "Parivar Labh", "Antyeshti Sahayata"),
    ),
    Sector(
        "HOU", "Housing", "Department of Urban and Rural Housing",
        ("Awas", "Basti Sudhar", "Bhumihin", "Kachcha Ghar"),
        ("Nirman", "Marammat", "Byaj Anudan", "Patta", "Kiraya Sahayata"),
    ),
    Sector(
        "LAB", "Labour and Employment", "Department of Labour and Employment",
        ("Nirman Shramik", "Kamgar", "Yuva", "Karigar"),
        ("Kaushal", "Rozgar", "Auzar Sahayata", "Bima", "Prashikshan Bhatta"),
    ),
    Sector(
        "fcs", "Food Security", "Department of Food and Civil Supplies",
        ("Antyoday", "Ann", "Poshan Thali", "Pravasi"),
        ("Rashan", "Anaj Kavach", "Tel Dal", "Rasoi Gas", "Bhojan"),
        separator="_",
    ),
    Sector(
        "TRB", "Tribal Welfare", "Department of Tribal Area Development",
        ("Van Vasi", "Janjati", "Laghu Vanopaj", "Gram Sabha"),
        ("Vikas", "Van Adhikar", "Ashram Shala", "Hastshilp", "Aajeevika"),
    ),
    Sector(
        "ENE", "Energy and Water", "Department of Energy and Drinking Water",
        ("Saur", "Jal", "Grameen Vidyut", "Ujala"),
        ("Pump", "Nal Connection", "Bill Rahat", "Chhat Anudan", "Tanka Nirman"),
    ),
)  # fmt: skip


@lru_cache(maxsize=1)
def schemes() -> tuple[Scheme, ...]:
    """Return the whole catalogue, 200 schemes, the same for every seed: a state has one."""
    combinations = ((sector, group, form) for sector in SECTORS for group, form in product(sector.groups, sector.forms))
    return tuple(_scheme(number, *combination) for number, combination in enumerate(combinations))


def _scheme(number: int, sector: Sector, group: str, form: str) -> Scheme:
    code = _code(sector, group, form)
    name = f"{TITLES[number % len(TITLES)]} {group} {form} Yojana"
    return Scheme(number, identifier("scheme", code), code, name, group, sector)


def _code(sector: Sector, group: str, form: str) -> str:
    words = f"{sector.prefix} {group} {form}".replace(" ", sector.separator)
    return words.upper() if sector.prefix.isupper() else words.lower()
