"""A life of the product in which everything happens and goes wrong, with canaries in all of it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from flows.profile_updates import PROFILE_UPDATES
from flows.registry import FLOWS
from flows.tables import Database
from sinks.flow_state import STOPPED
from tests.support.canaries import Canary
from tests.support.canary_answers import Answers
from tests.support.canary_records import send_bad_records
from tests.support.canary_rows import SPOILED, Planter, Row
from tests.support.platform import Platform
from tests.support.waiting import absent, eventually
from tests.support.workers import Workers

SECONDS = 30.0
WORKER = "worker-1"
CITIZENS = PROFILE_UPDATES.source.table
#: Each refusal has values in its message: in DETAIL the row or the key, or the value itself in the first line.
REFUSALS = """
ALTER TABLE golden_records ADD CONSTRAINT no_refused CHECK (full_name <> 'refused');
ALTER TABLE golden_records ADD CONSTRAINT no_cast
    CHECK (CASE full_name WHEN 'cast' THEN mobile_number::date > '2000-01-01' ELSE true END);
CREATE UNIQUE INDEX no_twins ON golden_records (email) WHERE full_name = 'twin';
CREATE FUNCTION outcry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not %', NEW.mobile_number; END $$;
CREATE TRIGGER outcry BEFORE INSERT OR UPDATE ON golden_records
    FOR EACH ROW WHEN (NEW.full_name = 'outcry') EXECUTE FUNCTION outcry();
"""
ACCEPTANCE = """
ALTER TABLE golden_records DROP CONSTRAINT no_refused, DROP CONSTRAINT no_cast;
DROP INDEX no_twins;
DROP TRIGGER outcry ON golden_records;
"""
#: Servers as their owners may have set them up.
TALKATIVE = {
    "log_min_messages": "info",
    "log_min_error_statement": "info",
    "log_error_verbosity": "verbose",
    "log_statement": "all",
}
SECRETS = ("PASSWORD", "PAYLOAD_KEYS")


class Life:
    """From empty databases to a product at rest; afterwards `answers` holds what was said, `canaries` what was planted.

    `reasons` are those of the dead letters: what really went wrong.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._forged: list[Canary] = []
        self.reasons: set[tuple[str, str]] = set()
        platform.prepare(3, 20)
        self.planter = Planter({database: platform.of(database) for database in Database})
        self.answers = Answers(platform)

    @property
    def canaries(self) -> list[Canary]:
        """All that was planted, and the secrets of the stack."""
        return [*self.planter.canaries, *self._forged, *self.answers.canaries, *_secrets(self._platform)]

    def run(self) -> None:
        """Live it; no worker runs afterwards."""
        workers = Workers(self._platform)
        self._platform.warehouse.rows(REFUSALS)
        self.planter.household("before the snapshot")
        with _talkative(self._platform):
            self._platform.install()
            workers.start(WORKER)
            try:
                self._happen()
            finally:
                workers[WORKER].terminate()

    def _happen(self) -> None:
        self._change()
        self._go_wrong()
        self._platform.settle_all()
        self._look_at_letters()
        self._stop_a_flow()
        self._send_again()
        self._rebuild()
        self.answers.refused_callbacks()
        self._platform.settle_all()
        self._ask()

    def _change(self) -> None:
        for table, row in self.planter.household("insert").items():
            same_number = {name: row[name] for name in ("aadhaar_number",) if name in row}
            changed = self.planter.update(table, "update", row, **same_number)
            self.planter.update(table, "second update", changed)
        gone = self.planter.household("deleted")
        for table, row in reversed(gone.items()):
            self.planter.delete(table, row)

    def _go_wrong(self) -> None:
        self.planter.household("spoiled", SPOILED)
        for kind in ("refused", "cast"):
            self.planter.insert(CITIZENS, kind, _citizen(kind))
        twin = self.planter.insert(CITIZENS, "twin", _citizen("twin"))
        self.planter.insert(CITIZENS, "second twin", _citizen("twin") | {"email": twin["email"]})
        self._forged.extend(asyncio.run(send_bad_records(self._platform.settings.kafka, FLOWS)))

    def _stop_a_flow(self) -> None:
        """The database refuses in a way that only an operator can judge."""
        self.planter.insert(CITIZENS, "outcry", _citizen("outcry"))
        state = "SELECT state FROM sync.flow_state WHERE flow = %s"
        warehouse = self._platform.warehouse
        eventually(lambda: warehouse.value(state, (PROFILE_UPDATES.name,)) == STOPPED, "the flow stops", within=SECONDS)
        self._ask()
        warehouse.rows(ACCEPTANCE)
        self.answers.command("resume", PROFILE_UPDATES.name)

    def _send_again(self) -> None:
        self.answers.command("dead-letters", "replay", "--flow", PROFILE_UPDATES.name)
        self._platform.wait_until_level(PROFILE_UPDATES)

    def _rebuild(self) -> None:
        for flow in FLOWS:
            resync = json.loads(self.answers.command("resync", flow.name, "--json"))["resync"]
            behind = "SELECT FROM sync.ledger WHERE flow = %s AND resynced < %s"
            parameters = (flow.name, resync)
            target = self._platform.target_of(flow)
            absent(lambda: target.rows(behind, parameters), f"{flow.name} is rebuilt", within=SECONDS)  # noqa: B023 at once

    def _ask(self) -> None:
        self.answers.pages(self._platform.citizen.value("SELECT web_url FROM sync.worker WHERE name = %s", (WORKER,)))
        for command in ("status", "dead-letters list --status all --limit 1000"):
            self.answers.in_both_forms(*command.split())

    def _look_at_letters(self) -> None:
        """One of each kind, and all other commands that read."""
        letters = self.answers.in_both_forms("dead-letters", "list", "--limit", "1000")
        kinds = {(each["flow"], each["reason"]): each for each in letters}
        self.reasons.update(kinds)
        for letter in kinds.values():
            self.answers.command("dead-letters", "show", str(letter["id"]), "--flow", letter["flow"])
        for command in ("check-schema", "parked list", "review list", "connect status"):
            self.answers.in_both_forms(*command.split())


def _citizen(kind: str) -> Row:
    return {"id": str(uuid4()), "full_name": kind, "verification_status": "VERIFIED"}


@contextmanager
def _talkative(platform: Platform) -> Iterator[None]:
    roles, administrators = ("sync_worker", "sync_connect"), (platform.warehouse, platform.citizen)
    for administrator in administrators:
        for role in roles:
            for name, value in TALKATIVE.items():
                administrator.rows(f"ALTER ROLE {role} SET {name} = '{value}'")
    try:
        yield
    finally:
        for administrator in administrators:
            for role in roles:
                administrator.rows(f"ALTER ROLE {role} RESET ALL")


def _secrets(platform: Platform) -> Iterator[Canary]:
    for name, value in platform.stack.env.items():
        if any(part in name for part in SECRETS):
            yield Canary(name, value)
    for sender, granted in json.loads(platform.stack.env["SYNC_CALLBACKS__SENDERS"]).items():
        yield Canary(f"key of {sender}", granted["keys"][0])
