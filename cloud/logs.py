"""The cloud's log: one JSON document a line on standard error, with the request id of whoever caused it.

Made of the standard library alone, since every process of the cloud carries it.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

_QUIET = ("uvicorn.access", "watchfiles", "alembic", "asyncio")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
"""What every record has; the rest are facts that were logged. Uvicorn's color_message is for terminals."""
_LOOKS_EVERY_S = 1.0
_request_id: ContextVar[str] = ContextVar("request_id", default="")
LEVELS = ("debug", "info", "warning", "error")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; what JSON cannot say is written as text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told: dict[str, object] = {
            "message": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "at": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        told |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        request_id = _request_id.get()
        if request_id:
            told.setdefault("request_id", request_id)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def configure_logs(level: str, changes: Path | None = None) -> None:
    """Send every logger of this process through one JSON formatter.

    changes: a file that names another level while it is there; it is looked at each second, for as long as we run.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    if changes is not None:
        threading.Thread(target=_follow, args=(changes, level), name="log level", daemon=True).start()


def changed_level(changes: Path) -> str:
    """Return the level that the file names, empty where there is none or it makes no sense."""
    try:
        named = changes.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return named if named in LEVELS else ""


def change_level(changes: Path, level: str) -> None:
    """Let all processes that follow this file log from this level on; raise OSError."""
    draft = changes.with_name(f".{changes.name}.new")
    draft.write_text(level, encoding="ascii")
    draft.replace(changes)


def _follow(changes: Path, configured: str) -> None:
    pause = threading.Event()
    while True:
        wanted = (changed_level(changes) or configured).upper()
        root = logging.getLogger()
        if root.level != logging.getLevelNamesMapping()[wanted]:
            root.setLevel(wanted)
        pause.wait(_LOOKS_EVERY_S)


@contextmanager
def about_request(request_id: str) -> Iterator[None]:
    """Put the request id into every line that is logged inside, and into what is written down of it."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def current_request_id() -> str:
    """Return the id of the request that is being served, empty where none is."""
    return _request_id.get()
