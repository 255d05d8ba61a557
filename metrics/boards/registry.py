"""All dashboards. One exists when it stands here."""

from __future__ import annotations

import json
from typing import Final

from metrics.boards.flows import FLOWS
from metrics.boards.jobs import JOBS
from metrics.boards.model import rendered
from metrics.boards.parts import PARTS

FOLDER: Final = "deploy/grafana/dashboards"
#: Renews the committed files.
COMMAND: Final = f"python -m metrics.boards {FOLDER}"
BOARDS: Final = (FLOWS, JOBS, PARTS)


def files() -> dict[str, str]:
    """Name of a file → its text."""
    return {f"{board.uid}.json": json.dumps(rendered(board), indent=1) + "\n" for board in BOARDS}
