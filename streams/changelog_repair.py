"""After a frozen owner wrote into the changelog behind our back: append what stands now for every key it touched.

Recovery keeps the greater version, but compaction keeps the last record; ours must be the last again before it runs, for
which ``min.compaction.lag.ms`` leaves a day.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from streams.log_reader import LogReader
from tables.candidates import CandidateTable

log = logging.getLogger(__name__)


async def repair_changelog(table: CandidateTable, reader: LogReader, partition: int, holes: Iterable[range]) -> None:
    """``holes`` are changelog offsets that others wrote between ours; raises as the reader and the producer do."""
    topic = table.changelog_topic_name
    for hole in holes:
        log.warning("%s[%s]: offsets %s to %s were written by another owner", topic, partition, hole.start, hole.stop - 1)
        records = await reader.range((topic, partition), hole)
        append = await table.append_again(partition, [record.key for record in records if record.key is not None])
        await table.until_acknowledged(partition, append)
