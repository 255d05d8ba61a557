"""The state folder: where everything lies that the local stack keeps."""

from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_STATE = PROJECT_ROOT / ".local"
# 0711: the unprivileged user of PostgreSQL passes through to its own data, nobody else can list what is here.
PASSABLE = 0o711
PRIVATE = 0o700


@dataclass(frozen=True)
class StateFolder:
    """Paths inside one state folder. `root` is absolute."""

    root: Path

    @property
    def env_file(self) -> Path:
        """The variables of the running stack, secrets included (mode 0600)."""
        return self.root / "stack.env"

    @property
    def ports_file(self) -> Path:
        """The ports chosen so far, by name."""
        return self.root / "ports.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the process that runs the stack."""
        return self.root / "lock"

    @property
    def pids(self) -> Path:
        """One record per process that was started and not yet stopped."""
        return self.root / "pids"

    @property
    def config(self) -> Path:
        """Configuration files written at each start."""
        return self.root / "config"

    @property
    def postgresql(self) -> Path:
        """Both database clusters; a link when they had to be put outside of the state folder."""
        return self.root / "postgresql"

    def log(self, name: str) -> Path:
        """Return the log file of the process `name`."""
        return self.root / "logs" / f"{name}.log"

    def data(self, name: str) -> Path:
        """Return the data folder of the part `name`."""
        return self.root / "data" / name

    def create(self) -> None:
        """Create the folder and its private subfolders where they are missing."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(PASSABLE)
        for private in (self.pids, self.config, self.root / "logs", self.root / "data"):
            private.mkdir(mode=PRIVATE, exist_ok=True)
