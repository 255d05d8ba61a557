"""Write the dashboards: see :data:`metrics.boards.registry.COMMAND`."""

import sys
from pathlib import Path

from metrics.boards.registry import files

for name, text in files().items():
    (Path(sys.argv[1]) / name).write_text(text)
