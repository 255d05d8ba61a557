"""Why an evaluation came out as it did: short, long and multilingual texts, no figure longer than three digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from demo.catalogue import Scheme

MISSING_SHARE = 0.05
EMPTY_SHARE = 0.005
LONG_SHARE = 0.03

# Around the portal's limit of 500 code points, and far beyond it.
LONG_LENGTHS = (499, 500, 501, 640, 1200, 3000)

REASONS = (
    "Annual family income is within the limit of 3 lakh.",
    "Land holding is below 2 hectares; the record of rights agrees.",
    "Resident of the state for more than 10 years.",
    "Age of the member matches the band of 18-60.",
    "Income certificate is older than 12 months, please renew it.",
    'The card is marked "priority" in the ration register.',
    "Already covered by another scheme of the same department; the larger benefit counts.",
    "Bank account is not seeded yet \\ payment would be on hold.",
    "परिवार की वार्षिक आय सीमा के भीतर है।",
    "निवास प्रमाण पत्र सत्यापित है; आयु ६० वर्ष से अधिक।",
    "குடும்ப வருமானம் வரம்புக்குள் உள்ளது.",
    "কৃষিজমি ২ হেক্টরের কম।",
    "آمدنی کی حد کے اندر ہے",
    "Cafe\u0301 workers' board: membership confirmed ✅ 👩🏽‍🌾",
    "Checks passed:\n\t• residence\n\t• caste certificate\n\t• age",
)


def explain(rng: Random, scheme: Scheme) -> str | None:
    """Draw an explanation of one evaluation: None or empty now and then, beyond 500 code points sometimes."""
    draw = rng.random()
    if draw < MISSING_SHARE:
        return None
    if draw < MISSING_SHARE + EMPTY_SHARE:
        return ""
    if draw < MISSING_SHARE + EMPTY_SHARE + LONG_SHARE:
        return _long(rng, scheme)
    return _sentences(rng, scheme, rng.randint(1, 3))


def _long(rng: Random, scheme: Scheme) -> str:
    length = rng.choice(LONG_LENGTHS)
    text = _sentences(rng, scheme, len(REASONS))
    while len(text) < length:
        text += " " + rng.choice(REASONS)
    return text[:length]


def _sentences(rng: Random, scheme: Scheme, count: int) -> str:
    return " ".join((f"{scheme.name}:", *rng.choices(REASONS, k=count)))
