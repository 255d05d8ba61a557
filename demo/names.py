"""Invented names in the scripts that people of the state write them in, and mail addresses in reserved domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

# Given and family names by script; the first group is by far the most frequent.
_SCRIPTS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        ("Asha", "Bhanwar", "Chanda", "Devi Lal", "Gopal", "Kamla", "Lali", "Mangi", "Nathu", "Parvati", "Ramesh", "Sushila"),
        ("Choudhary", "Devi", "Gurjar", "Jat", "Kumawat", "Lal", "Meena", "Mehra", "Rathore", "Sharma", "Singh", "Suthar"),
    ),
    (("आशा", "भँवर", "कमला", "मांगी", "सुशीला", "नाथू"), ("देवी", "लाल", "मीणा", "गुर्जर", "सिंह", "चौधरी")),
    (("செல்வி", "রীনা", "نسیم", "ਗੁਰਪ੍ਰੀਤ", "𑄌𑄋𑄴𑄟𑄳𑄦"), ("முருகன்", "দাস", "بانو", "ਕੌਰ", "खान")),
    (
        ("Zoe\u0308", "Maria 'Moni'", "Jose\u0301", "Anne-Marie", 'Bala "B."'),
        ("D'Souza", "O\u2019Brien", "Fernandes \\ Rao", "de Sá"),
    ),
)
_CUMULATIVE: Final = (70, 90, 95, 100)

GENDERS: Final = ("Female", "Male", "Female", "Male", "Female", "Male", "Other", None)

_MAIL_NAMES: Final = ("asha", "b.lal", "c", "devi", "kamla.j", "moni", "nathu", "r+sync", "sushila_s")
_MAIL_DOMAINS: Final = ("example.org", "example.com", "mail.example.net")


def draw_name(rng: Random) -> str:
    """Draw a full name, one in three not in Latin script or hard to quote."""
    given, family = rng.choices(_SCRIPTS, cum_weights=_CUMULATIVE)[0]
    return f"{rng.choice(given)} {rng.choice(family)}"


def draw_email(rng: Random) -> str:
    """Draw an address that nobody can have: the domains are reserved for examples."""
    return f"{rng.choice(_MAIL_NAMES)}{rng.randrange(1000)}@{rng.choice(_MAIL_DOMAINS)}"
