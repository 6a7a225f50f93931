"""Logs as JSON lines: ts, level, event, gateway, device_id and what else a message carries; repeats are bounded."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

MAX_REPEATS = 5
WINDOW_S = 60.0
MAX_KINDS = 512
LIBRARIES = ("asyncio", "asyncua", "paho", "pymodbus")
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "suppressed"}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def __init__(self, gateway: str) -> None:
        super().__init__()
        self._gateway = gateway

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; fields that a message carries as `extra` stand beside the ordinary ones."""
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "gateway": self._gateway,
            "logger": record.name,
        }
        line.update({key: value for key, value in vars(record).items() if key not in _ORDINARY})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Repeats(logging.Filter):
    """Lets a message of one kind (its template and Device) through a few times a minute, then says how many it held."""

    def __init__(self, *, most: int = MAX_REPEATS, window_s: float = WINDOW_S) -> None:
        super().__init__()
        self._most = most
        self._window_s = window_s
        self._seen: dict[tuple[str, str, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether this one is written; the first of a new window carries `suppressed`."""
        kind = (record.name, str(record.msg), getattr(record, "device_id", None))
        since, count = self._seen.pop(kind, (record.created, 0))
        if record.created - since >= self._window_s:
            if count > self._most:
                record.msg = f"{record.msg} (and {count - self._most} times more before)"
            since, count = record.created, 0
        self._seen[kind] = (since, count + 1)
        if len(self._seen) > MAX_KINDS:
            self._seen.pop(next(iter(self._seen)))
        return count < self._most


def start_logging(gateway: str, level: str, stream: TextIO | None = None) -> None:
    """Send what the program logs to the stream (stderr) as JSON; libraries speak from warnings on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(gateway))
    handler.addFilter(Repeats())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))
