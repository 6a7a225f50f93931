"""Logs are JSON lines that name gateway and device; a message that repeats is bounded and counted."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from edge_agent.watch.logs import JsonFormatter, Repeats, start_logging


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str, *, created: float = 1000.0, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "edge_agent.x", "msg": message, "levelno": 30, "levelname": "WARNING", **extra}
    )
    made.created = created
    return made


def test_a_line_has_time_level_event_gateway_and_device() -> None:
    line = json.loads(JsonFormatter("gw-1").format(record("device lost", device_id="pump-1", attempts=3)))
    assert line == {
        "ts": "1970-01-01T00:16:40.000+00:00",
        "level": "warning",
        "event": "device lost",
        "gateway": "gw-1",
        "logger": "edge_agent.x",
        "device_id": "pump-1",
        "attempts": 3,
    }


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    start_logging("gw-1", "info", stream)
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("edge_agent.x").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_a_repeated_message_is_bounded_in_a_window_and_counted_in_the_next() -> None:
    repeats = Repeats(most=2, window_s=60)
    written = [repeats.filter(record("lost", created=1000.0 + i)) for i in range(10)]
    assert written == [True, True] + [False] * 8
    later = record("lost", created=1100.0)
    assert repeats.filter(later)
    assert later.getMessage() == "lost (and 8 times more before)"


def test_messages_of_different_devices_do_not_hold_each_other_back() -> None:
    repeats = Repeats(most=1)
    assert repeats.filter(record("lost", device_id="pump-1"))
    assert repeats.filter(record("lost", device_id="pump-2"))


def test_kinds_without_end_do_not_fill_the_memory() -> None:
    repeats = Repeats()
    assert all(repeats.filter(record(f"message {i}")) for i in range(5_000))
    assert len(repeats._seen) <= 512  # noqa: SLF001 - the bound is the point


def test_the_level_holds_and_libraries_speak_from_warnings_on() -> None:
    stream = io.StringIO()
    start_logging("gw-1", "info", stream)
    logging.getLogger("edge_agent.x").debug("too quiet")
    logging.getLogger("pymodbus").info("chatter")
    logging.getLogger("edge_agent.x").info("heard")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["heard"]
