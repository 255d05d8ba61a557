"""What is equal is found equal, in every flow, and costs little."""

from tests.integration.reconcile.conftest import every_flow


@every_flow
async def test_what_events_have_brought_is_what_the_comparison_expects(flow, reconcile):
    found = await reconcile(flow)
    assert found.rows == []
    assert found.violations == []
    assert found.good
    assert found.expected > 0
