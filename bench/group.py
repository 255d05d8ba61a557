"""What Kafka knows of a consumer group."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from bench.stage import Stage

STABLE = "Stable"


def stable_members(stage: Stage, group: str) -> int:
    """Return how many members share the group's partitions; 0 while they are being shared out."""
    return asyncio.run(_stable_members(stage, group))


async def _stable_members(stage: Stage, group: str) -> int:
    admin = AIOKafkaAdminClient(**stage.settings.kafka.client_options())
    await admin.start()
    try:
        [answer] = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    [(_, _, state, _, _, members, *_)] = answer.groups
    return len(members) if state == STABLE else 0
