"""What of a source's answer means that changes are lost."""

import pytest

from sinks.upstream_loss import Loss
from sinks.upstream_watch import Watched, losses

WATCHED = Watched("warehouse", "sync_warehouse", ("golden_records",))


@pytest.mark.parametrize("slot", ["reserved", "extended", "unreserved", "unknown"])
def test_a_slot_that_is_there_and_a_log_that_goes_on_lose_nothing(slot):
    assert losses(WATCHED, (100, True), (100, slot)) == {}


def test_a_slot_that_was_there_and_is_gone_is_a_loss():
    (detail,) = losses(WATCHED, (100, True), (120, "gone")).values()
    assert "replication slot sync_warehouse of warehouse is gone" in detail
    assert "connect reset sync_warehouse" in detail


def test_a_slot_that_nobody_has_made_yet_is_none():
    assert losses(WATCHED, (0, False), (120, "gone")) == {}


def test_a_slot_that_the_source_has_invalidated_is_a_loss_whenever_it_was_seen_first():
    assert list(losses(WATCHED, (0, False), (120, "lost"))) == [Loss.SLOT]


def test_a_log_that_went_back_is_a_restored_source():
    (detail,) = losses(WATCHED, (100, True), (99, "reserved")).values()
    assert "stands at 99 and was at 100 before" in detail
    assert "source-epoch warehouse --set-new" in detail


def test_a_restored_source_without_the_slot_is_both():
    assert set(losses(WATCHED, (100, True), (10, "gone"))) == {Loss.SOURCE, Loss.SLOT}
