"""Rows of ``public.documents``: what users hand in, content and all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.citizen.applications import filed
from demo.citizen.citizens import draw_user
from demo.identifiers import identifier
from demo.moments import draw_later, draw_moment
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

TYPES: Final = ("ration_card", "income_certificate", "residence_certificate", "bank_passbook", "photograph", None)
VERIFICATIONS: Final = ("pending", "pending", "verified", "verified", "verified", "rejected", None)
FILES: Final = (
    ("ration card.pdf", "application/pdf"),
    ("scan_001.JPG", "image/jpeg"),
    ("आय प्रमाण पत्र.pdf", "application/pdf"),
    ('photo "new" (1).png', "image/png"),
    ("ਰਸੀਦ 👍.webp", "image/webp"),
    ("a" * 251 + ".tif", "image/tiff"),
)

OF_APPLICATION_SHARE: Final = 0.7
NOT_STORED_SHARE: Final = 0.1
LARGE_SHARE: Final = 0.005
MOST_BYTES: Final = 1_500
LARGE_BYTES: Final = 65_536


class Document(NamedTuple):
    """One document; fields are the column names."""

    id: UUID
    citizen_id: UUID
    application_id: UUID | None
    document_type: str | None
    file_name: str
    file_path: str
    file_size: int
    mime_type: str
    content: bytes | None
    verification_status: str | None
    uploaded_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose document it is, and what for."""

    citizen_id: UUID
    application_id: UUID | None


TABLE: Final = KeyedTable("public.documents", "id", Document._fields)


def documents(population: Population, count: int, applications: int, now: datetime) -> Iterator[Document]:
    """``count`` documents uploaded within the 60 days before ``now``, most for one of the ``applications``."""
    rng = Random(f"documents/{population.seed}")  # noqa: S311 repeatable on purpose
    for position in range(count):
        owner = _draw_owner(rng, population, applications, now)
        uploaded_at = draw_moment(rng, now)
        document = draw_document(rng, identifier("document", population.seed, position), owner, uploaded_at)
        yield document._replace(updated_at=draw_later(rng, uploaded_at, now))


def draw_document(rng: Random, identity: UUID, owner: Owner, uploaded_at: datetime) -> Document:
    """Draw a document that is new at ``uploaded_at``."""
    name, mime_type = rng.choice(FILES)
    size = rng.randrange(1, LARGE_BYTES if rng.random() < LARGE_SHARE else MOST_BYTES)
    return Document(
        id=identity,
        citizen_id=owner.citizen_id,
        application_id=owner.application_id,
        document_type=rng.choice(TYPES),
        file_name=name,
        file_path=f"/portal/uploads/{uploaded_at:%Y/%m}/{identity}",
        file_size=size,
        mime_type=mime_type,
        content=None if rng.random() < NOT_STORED_SHARE else rng.randbytes(size),
        verification_status=rng.choice(VERIFICATIONS),
        uploaded_at=uploaded_at,
        updated_at=uploaded_at,
    )


def _draw_owner(rng: Random, population: Population, applications: int, now: datetime) -> Owner:
    if applications and rng.random() < OF_APPLICATION_SHARE:
        application = filed(population, rng.randrange(applications), now).row
        return Owner(application.citizen_id, application.id)
    return Owner(draw_user(rng, population)[0], None)
