"""Leaks made on purpose, one into each kind of place, in every form: what a search must find to be believed."""

import secrets
from base64 import b64encode
from collections.abc import Mapping

import rocksdict

from flows.golden_records import GOLDEN_RECORDS
from flows.profile_updates import PROFILE_UPDATES
from tests.support.canaries import Canary, topic_place
from tests.support.canary_places import open_store, stores
from tests.support.canary_search import Hit
from tests.support.kafka import produce, topics
from tests.support.platform import Platform

AUDIT = "INSERT INTO sync.audit (actor, action, subject) VALUES ('', '', %s)"
LETTER = """
INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, record_value) VALUES ('', '', 0, 0, '', '', %s)
"""


class Leaks:
    """`canaries` are leaked, each into one place, and `hits` is what a search must find. No worker may run."""

    def __init__(self, platform: Platform) -> None:
        self.canaries: list[Canary] = []
        self.hits: set[Hit] = set()
        self._platform = platform

    def make(self) -> Mapping[str, bytes]:
        """Leak into all places; returns the answers."""
        self._into_tables()
        self._into_topics()
        root = self._platform.stack.folder.root
        for folder in stores(root):
            store = open_store(folder, rocksdict.AccessType.read_write())
            store.put(b"leak", self._new(f"store {folder.name}", "hex").hex().upper().encode())
            store.close()
        for log in (root / "logs").iterdir():
            with log.open("ab") as opened:
                opened.write(b64encode(b"x" + self._new(f"log {log.name}", "base64")))
        return {"page": self._new("answer page", "digits", "+91-98765-43210").replace(b"-", b"")}

    def _into_tables(self) -> None:
        self._platform.citizen.rows(AUDIT, (self._new("table citizen.sync.audit", "plain").decode(),))
        self._platform.warehouse.rows(LETTER, (self._new("table warehouse.sync.dead_letter", "hex"),))

    def _into_topics(self) -> None:
        kafka = self._platform.settings.kafka
        (changelog,) = [topic for topic in topics(kafka) if topic.endswith("-changelog")]
        produce(kafka, changelog, 0, self._new(topic_place(changelog), "plain"), None)
        value, header = GOLDEN_RECORDS.command_topic, PROFILE_UPDATES.command_topic
        produce(kafka, value, 0, None, b64encode(self._new(topic_place(value), "base64")))
        produce(kafka, header, 0, b"key", None, [("header", self._new(topic_place(header), "plain"))])

    def _new(self, place: str, form: str, value: str | None = None) -> bytes:
        canary = Canary(place, value or f"canary{secrets.token_hex(5)}")
        self.canaries.append(canary)
        self.hits.add(Hit(canary.name, form, place))
        return canary.value.encode()
