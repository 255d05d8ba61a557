"""One family as a test follows it: its evaluations in the source, its hints in the target, dead letters about it."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.installation import Installation
from tests.support.kafka import produce
from tests.support.records import TOPIC, key_of, partition_of_family
from tests.support.waiting import eventually

SECONDS = 20.0

_INSERT = """
INSERT INTO eligibility.eligibility_snapshots
    (family_id, scheme_code, evaluation_status, eligibility_score, confidence_score, explanation, evaluation_timestamp)
VALUES (%(family)s, %(scheme)s, 'RULE_ELIGIBLE', %(score)s, 0.5, %(explanation)s, %(evaluated)s)
RETURNING snapshot_id
"""
_LETTER = """
SELECT id, reason, detail, row_key, status, attempts FROM sync.dead_letter
WHERE topic = %s AND partition = %s AND "offset" = %s
"""
_LETTER_OF_ROW = """
SELECT id, reason, detail, row_key, status, attempts FROM sync.dead_letter WHERE row_key = %s ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Letter:
    """A dead letter as the database has it."""

    id: int
    reason: str
    detail: str
    row_key: str | None
    status: str
    attempts: int


class FamilyInPortal:
    """A family that no other test knows."""

    def __init__(self, installation: Installation) -> None:
        self.id = str(uuid4())
        self._installation = installation

    # -- the platform --------------------------------------------------------------------------------------------------

    def evaluate(self, score: str, *, scheme: str = "SCHEME", explanation: str = "good", evaluated: str = "now") -> int:
        """Insert an evaluation into the source and return its snapshot_id."""
        values = {"family": self.id, "scheme": scheme, "score": score, "explanation": explanation, "evaluated": evaluated}
        number: int = self._installation.warehouse.value(_INSERT, values)
        return number

    def alter(self, snapshot_id: int, column: str, value: Any) -> None:
        """Update one column of an evaluation in the source."""
        statement = f"UPDATE eligibility.eligibility_snapshots SET {column} = %s WHERE snapshot_id = %s"
        self._installation.warehouse.rows(statement, (value, snapshot_id))

    def produce(self, value: bytes | None, *, key: bytes | None = b"own") -> int:
        """Append raw bytes to the family's partition of the source topic and return their offset."""
        key = key_of(self.id) if key == b"own" else key
        return produce(self._installation.settings.kafka, TOPIC, self.partition, key, value)

    @property
    def partition(self) -> int:
        """The partition of the family's records."""
        return partition_of_family(self.id)

    # -- the portal ----------------------------------------------------------------------------------------------------

    def hints(self) -> dict[str, tuple[str, str]]:
        """Return score and explanation by scheme."""
        rows = self._installation.citizen.rows(
            "SELECT scheme_code, eligibility_score::text, explanation FROM eligibility_hints WHERE family_id = %s", (self.id,)
        )
        return {scheme: (score, explanation) for scheme, score, explanation in rows}

    def shows(self, score: str | None, *, scheme: str = "SCHEME") -> None:
        """Wait until the portal shows this score for the scheme, or no hint for None."""
        eventually(lambda: self.hints().get(scheme, (None,))[0] == score, f"the portal shows {scheme} at {score}", within=SECONDS)

    def read_up_to(self, offset: int) -> None:
        """Wait until the record at the offset is behind the ledger's position."""
        eventually(
            lambda: self._installation.ledger()[TOPIC, self.partition].next_offset > offset,
            f"offset {offset} is read",
            within=SECONDS,
        )

    # -- dead letters --------------------------------------------------------------------------------------------------

    def letter_at(self, offset: int) -> Letter:
        """Wait for the dead letter of a record."""
        return self._letter(_LETTER, (TOPIC, self.partition, offset))

    def letter_of(self, snapshot_id: int) -> Letter:
        """Wait for the dead letter of a row."""
        return self._letter(_LETTER_OF_ROW, (str(snapshot_id),))

    def letter_becomes(self, letter: Letter, status: str, *, attempts: int = 1) -> None:
        """Wait until a letter has this status, after so many attempts."""
        state = (status, attempts)
        statement = "SELECT status, attempts FROM sync.dead_letter WHERE id = %s"
        eventually(
            lambda: self._installation.citizen.rows(statement, (letter.id,)) == [state],
            f"dead letter {letter.id} is {state}",
            within=SECONDS,
        )

    def _letter(self, statement: str, parameters: tuple[Any, ...]) -> Letter:
        found = eventually(
            lambda: self._installation.citizen.rows(statement, parameters), f"a dead letter for {parameters}", within=SECONDS
        )
        return Letter(*found[0])
