"""Making Kafka Connect forget connectors, so that the next one of that name begins with a snapshot."""

import httpx

from tests.support.waiting import eventually

SECONDS = 30.0


def forget_connectors(url: str) -> None:
    """Delete all connectors and the positions that they had reached; returns when they are gone."""
    with httpx.Client(base_url=url, timeout=SECONDS) as client:
        for name in client.get("/connectors").raise_for_status().json():
            _forget(client, f"/connectors/{name}")


def _forget(client: httpx.Client, connector: str) -> None:
    client.put(f"{connector}/stop").raise_for_status()
    # Refused until the tasks have stopped, and while the group rebalances.
    eventually(lambda: client.delete(f"{connector}/offsets").is_success, f"{connector} has no positions", within=SECONDS)
    eventually(lambda: client.delete(connector).is_success, f"{connector} is deleted", within=SECONDS)
    eventually(lambda: client.get(connector).status_code == httpx.codes.NOT_FOUND, "it is gone", within=SECONDS)
