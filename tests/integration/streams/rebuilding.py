"""Every partition of a flow rebuilt at the same time, as its lanes do."""

import asyncio

from sinks import ledger


async def rebuild_all(flow, target, rebuild):
    """`rebuild`: of an upkeep or a rebuilder; returns the claims of the source's topic by partition."""
    starts = [(topic, partition, 0) for topic in flow.topics for partition in range(flow.partitions)]
    async with target.session() as session:
        claims = await ledger.claim(session, flow.name, "worker", starts)
    tasks = []
    for partition in range(flow.partitions):
        mine = {claim.topic: claim for claim in claims if claim.partition == partition}
        offsets = {topic: claim.next_offset for topic, claim in mine.items()}
        tasks.append(asyncio.ensure_future(rebuild(mine, offsets, 1)))
    await asyncio.gather(*tasks)
    return {claim.partition: claim for claim in claims if claim.topic == flow.topic}
