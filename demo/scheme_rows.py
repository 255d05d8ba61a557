"""Rows of ``eligibility.scheme_master``: the catalogue with criteria, benefits and documents."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from demo.catalogue import Scheme, schemes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

TABLE = "eligibility.scheme_master"
DOCUMENTS = ("Ration card", "Income certificate", "Residence certificate", "Bank passbook", "Age proof", "Photograph")
BENEFITS = ("cash", "subsidy", "service", "kind", "insurance")


class SchemeRow(NamedTuple):
    """One scheme; fields are the column names, documents are JSON text."""

    scheme_id: UUID
    scheme_code: str
    scheme_name: str
    description: str
    category: str
    department_name: str
    eligibility_criteria: str
    benefits: str
    documents_required: str
    status: str
    updated_at: datetime


def scheme_rows(now: datetime) -> Iterator[SchemeRow]:
    """Return the 200 schemes as of ``now``; about one in twenty is not ACTIVE."""
    return (_row(scheme, now) for scheme in schemes())


def _row(scheme: Scheme, now: datetime) -> SchemeRow:
    number, sector = scheme.number, scheme.sector
    return SchemeRow(
        scheme_id=scheme.scheme_id,
        scheme_code=scheme.code,
        scheme_name=scheme.name,
        description=f"{scheme.name} of the {sector.department} supports {scheme.group} households.",
        category=sector.category,
        department_name=sector.department,
        eligibility_criteria=json.dumps({"max_income_lakh": 1 + number % 8, "min_age": (0, 6, 18, 60)[number % 4]}),
        benefits=json.dumps([{"type": BENEFITS[number % len(BENEFITS)], "amount": 500 * (1 + number % 40)}]),
        documents_required=json.dumps([DOCUMENTS[(number + step) % len(DOCUMENTS)] for step in range(1 + number % 4)]),
        status=status_of(scheme),
        updated_at=now - timedelta(days=number % 90, minutes=number),
    )


def status_of(scheme: Scheme) -> str:
    """Return ACTIVE for most, INACTIVE or DRAFT for a few."""
    if scheme.number % 20 == 0:
        return "INACTIVE"
    return "ACTIVE" if scheme.number % 67 else "DRAFT"
