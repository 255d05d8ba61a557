"""Rows of the portal's ``public.schemes``, which the daily job over ``eligibility.scheme_master`` fills.

The history brings what earlier runs of the job would have left, so that applications have schemes to refer to.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.identifiers import drawn_identifier
from demo.scheme_rows import SchemeRow, scheme_rows
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random
    from uuid import UUID


class PortalScheme(NamedTuple):
    """One scheme as the portal shows it; fields are the column names, documents are JSON text."""

    id: UUID
    code: str
    name: str
    description: str
    category: str
    department: str
    eligibility_criteria: str
    benefits: str
    documents_required: str
    status: str
    last_updated: datetime


TABLE: Final = KeyedTable("public.schemes", "id", PortalScheme._fields)


def portal_schemes(now: datetime) -> Iterator[PortalScheme]:
    """What the job would have made of the catalogue: the id is the scheme's; drafts were never active and are left out."""
    return (_from(row) for row in scheme_rows(now) if row.status != "DRAFT")


def draw_scheme(rng: Random, now: datetime) -> PortalScheme:
    """Draw a scheme that nothing knew before."""
    identity = drawn_identifier(rng, now)
    like = rng.choice(list(scheme_rows(now)))
    return _from(like)._replace(id=identity, code=f"NEW-{identity}", name=f"Nav {like.scheme_name}", status="ACTIVE")


def _from(row: SchemeRow) -> PortalScheme:
    return PortalScheme(*row)
