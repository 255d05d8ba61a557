"""The newest time wins per id, of equal times the later offset: whatever is repeated, cut into chunks or read again."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.ml_alerts import ML_ALERTS
from schemas.headers import OFFSET_HEADER
from streams.callback_decoding import CallbackDecoder
from streams.mirror import newest_states
from tests.support.posted import START, PostedLog

every_flow = pytest.mark.parametrize("flow", [BENEFIT_FORECASTS, ML_ALERTS], ids=lambda flow: flow.name)

#: (which row, which second, which content): few of each, so that times are equal and bodies are repeated.
BODIES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=25)
IDS = ["00000000-0000-4000-8000-00000000000" + digit for digit in "012"]
CONTENTS = ["0.00", "1.00", "2.00", "3.00", "4.00"]
FIXED = {"horizon_months": 1, "scheme_count": 1, "projections": []}


class Table:
    """The version guard and the target in plain Python: what the statement does, for one partition."""

    def __init__(self):
        self.standing = {}

    def apply(self, decoder, records):
        for chunk in decoder.decode(records):
            numbered = zip(chunk.owners, chunk.changes, strict=True)
            for row_key, (_, state) in newest_states(numbered).items():
                before = self.standing.get(row_key)
                if before is None or state.version > before.version:
                    self.standing[row_key] = state


def posted(bodies, flow=BENEFIT_FORECASTS):
    log = PostedLog(flow)
    for row, second, content in bodies:
        time = (START + timedelta(seconds=second)).isoformat()
        log.upsert(log.row(IDS[row], family_id=IDS[0], total_annual_value=CONTENTS[content], generated_at=time) | FIXED)
    return log


def oracle(bodies):
    """Of each row the content of the body with the latest time, and of those of the one posted last."""
    ranked = [(second, place, row, content) for place, (row, second, content) in enumerate(bodies)]
    return {IDS[row]: CONTENTS[content] for _, _, row, content in sorted(ranked)}


def values(table):
    rows = {key: json.loads(b"{%b}" % state.content) for key, state in table.standing.items()}
    return {key: row["total_annual_value"] for key, row in rows.items()}


@given(BODIES, st.data())
def test_any_cut_into_chunks_and_any_repetition_comes_to_what_the_oracle_says(bodies, data):
    log, decoder, table, at = posted(bodies), CallbackDecoder(BENEFIT_FORECASTS), Table(), 0
    while at < len(bodies):
        if at and data.draw(st.booleans(), "read again"):
            at = data.draw(st.integers(0, at - 1), "from")
        end = data.draw(st.integers(at + 1, len(bodies)), "up to")
        table.apply(decoder, log.records[at:end])
        at = end
    assert values(table) == oracle(bodies)


@given(BODIES, st.data())
def test_no_row_ever_goes_back_to_an_older_version(bodies, data):
    log, decoder, table = posted(bodies), CallbackDecoder(BENEFIT_FORECASTS), Table()
    for _ in range(5):
        begin = data.draw(st.integers(0, len(bodies) - 1))
        before = dict(table.standing)
        table.apply(decoder, log.records[begin : data.draw(st.integers(begin + 1, len(bodies)))])
        assert all(table.standing[key].version >= state.version for key, state in before.items())


@given(BODIES, st.data())
def test_a_dead_letter_that_is_sent_again_takes_the_place_that_it_had(bodies, data):
    """Left out at first, it comes last, at any offset of the command topic: the outcome is as if it had not been left out."""
    left_out = data.draw(st.integers(0, len(bodies) - 1))
    log, decoder, table = posted(bodies), CallbackDecoder(BENEFIT_FORECASTS), Table()
    table.apply(decoder, log.records[:left_out])
    table.apply(decoder, log.records[left_out + 1 :])
    letter = log.records[left_out]
    again = vars(letter) | {
        "topic": BENEFIT_FORECASTS.command_topic,
        "offset": data.draw(st.integers(0, 100)),
        "headers": [*letter.headers, (OFFSET_HEADER, str(letter.offset).encode())],
    }
    table.apply(decoder, [SimpleNamespace(**again)])
    assert values(table) == oracle(bodies)


@every_flow
def test_the_version_is_the_time_in_the_body_and_the_offset_of_the_record(flow):
    log = PostedLog(flow)
    for _ in range(3):
        log.upsert(log.row())
    (chunk,) = CallbackDecoder(flow).decode(log.records)
    start = int(START.timestamp() * 1e6)
    assert [(state.lsn, state.arrival) for state in chunk.changes] == [(start + n * 1_000_000, n) for n in range(3)]


def test_the_notice_of_an_alert_is_the_same_for_every_version_of_it_and_only_the_text_is_of_its_own():
    log = PostedLog(ML_ALERTS)
    log.upsert(row := log.row(message="first {severity}", severity="HIGH"))
    log.upsert(row | {"message": "second", "created_at": log.row()["created_at"]})
    log.upsert(log.row())
    (chunk,) = CallbackDecoder(ML_ALERTS).decode(log.records)
    first, second, other = (json.loads(state.notice) for state in chunk.changes)
    assert first["id"] == second["id"] != other["id"]
    assert (first["message"], second["message"]) == ("first {severity}", "second")
    assert (first["family_id"], first["metadata"]["severity"]) == (row["family_id"], "HIGH")
    assert first["created_at"].startswith("2026-03-01T12:00:00")
