"""Districts with their numbers, and how people and other systems spell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

DISTRICT_TABLE: Final = "public.district_master"


class District(NamedTuple):
    """A row of ``public.district_master``; fields are the column names."""

    district_id: int
    district_name: str


_NAMES: Final = (
    "Ajmer", "Alwar", "Banswara", "Baran", "Barmer", "Bharatpur", "Bhilwara", "Bikaner", "Bundi", "Chittorgarh", "Churu",
    "Dausa", "Dholpur", "Dungarpur", "Hanumangarh", "Jaipur Gramin", "Jaipur Shahar", "Jaisalmer", "Jalore", "Jhalawar",
    "Jhunjhunu", "Jodhpur", "Karauli", "Kota", "Nagaur", "Pali", "Pratapgarh", "Rajsamand", "Sawai Madhopur", "Sikar",
    "Sirohi", "Sri Ganganagar", "Tonk", "Udaipur", "नया ज़िला",
)  # fmt: skip
DISTRICTS: Final = tuple(District(101 + number, name) for number, name in enumerate(_NAMES))

UNKNOWN_NAMES: Final = ("Marudhara", "Not stated", "Jaipurr", "अज्ञात")
VILLAGES: Final = (
    "Rampura",
    "Kishanpura",
    "Nayagaon",
    "Dhani Jatan",
    "Bhopalgarh",
    "Chak 12 B",
    "St. Mary's Colony",
    "गोविन्दपुरा",
)

MISSING_SHARE: Final = 0.03
UNKNOWN_SHARE: Final = 0.03


def districts() -> Iterator[District]:
    """Every district, once."""
    return iter(DISTRICTS)


def draw_village(rng: Random) -> str:
    """One of a few places."""
    return rng.choice(VILLAGES)


def draw_pincode(rng: Random, district: District) -> str:
    """Six digits, the first ones by district."""
    return f"3{district.district_id - 100:02}{rng.randrange(1, 100):03}"


def spell_district(rng: Random, district: District) -> str | None:
    """The name as somebody types it: often exact, in any case, with spaces too many; unknown or missing now and then."""
    draw = rng.random()
    if draw < MISSING_SHARE:
        return None
    if draw < MISSING_SHARE + UNKNOWN_SHARE:
        return rng.choice(UNKNOWN_NAMES)
    return rng.choice(_SPELLINGS)(district.district_name)


_SPELLINGS: Final = (
    str,
    str,
    str,
    str,
    str.upper,
    str.lower,
    str.swapcase,
    lambda name: f"  {name} ",
    lambda name: name.replace(" ", "   ").upper(),
    lambda name: name.replace(" ", ""),
)
