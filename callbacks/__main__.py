"""``python -m callbacks``: the intake, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import sys

from callbacks.server import configure_logging, serve
from callbacks.settings import IntakeSettings
from settings import ConfigurationError, load

USAGE_ERROR = 2
START_FAILURE = 1


def main() -> int:
    """Serve and return the exit code."""
    try:
        settings = load(IntakeSettings)
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error}\n")
        return USAGE_ERROR
    configure_logging(settings.log)
    return 0 if serve(settings) else START_FAILURE


if __name__ == "__main__":
    sys.exit(main())
