"""Log lines for machines: one JSON object a line. What others say passes the redactor, for it may quote a value."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any, Final

from schemas.redaction import redact_message

#: Whose words stay as they are: these never log a value. Everybody else's are redacted, and so is the text of every exception.
OURS: Final = frozenset(
    {"alerts", "app", "batch_timers", "callbacks", "metrics", "reconcile", "sinks", "streams", "tables", "views"}
)


class JsonLines(logging.Formatter):
    """``time`` (UTC), ``level``, ``logger``, ``process`` (id), ``message``; of an exception ``error``, ``detail``, ``trace``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line without its end."""
        said = record.getMessage()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": said if record.name.partition(".")[0] in OURS else redact_message(said),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def logging_configuration() -> dict[str, Any]:
    """For Faust, which brings the level and takes what it finds here beside it: JSON on standard error."""
    return {
        "merge": True,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["lines"]},
    }


def _described(error: BaseException) -> dict[str, Any]:
    """Where it came from, innermost last; source lines are left out, the places name them."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "detail": redact_message(str(error)),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
