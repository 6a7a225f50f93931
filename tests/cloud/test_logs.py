"""One line of JSON a record, with the request that caused it; the level changes in all processes at once."""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.logs import JsonLines, about_request, change_level, changed_level, current_request_id
from cloud.threads import Threads

FOLLOWER = """
import logging, sys
from pathlib import Path
from cloud.logs import configure_logs
configure_logs("warning", Path(sys.argv[1]))
for line in sys.stdin:
    logging.getLogger("test").info("heard")
    print(logging.getLogger().level, flush=True)
"""


class Nothing:
    """What a thread holds that needs nothing."""

    def close(self) -> None:
        pass


def line(message: str, *arguments: object, **facts: object) -> dict[str, object]:
    record = logging.getLogger("cloud.test").makeRecord(
        "cloud.test", logging.INFO, __file__, 1, message, arguments, None, extra=facts or None
    )
    told: dict[str, object] = json.loads(JsonLines().format(record))
    return told


def test_a_line_holds_the_message_its_facts_and_a_time_in_utc() -> None:
    told = line("stored %d", 3, gateway="gw-1", path=Path("x"))
    assert (told["message"], told["level"], told["logger"]) == ("stored 3", "info", "cloud.test")
    assert (told["gateway"], told["path"]) == ("gw-1", "x")
    assert str(told["at"]).endswith("Z")
    assert set(told) == {"message", "level", "logger", "at", "gateway", "path"}


def test_what_would_break_a_line_is_escaped() -> None:
    record = logging.getLogger("t").makeRecord("t", logging.INFO, "", 1, "a\nb\x1b[31m", (), None)
    assert "\n" not in JsonLines().format(record)
    assert "\x1b" not in JsonLines().format(record)


def test_a_failure_is_told_with_where_it_came_from() -> None:
    try:
        raise ValueError("no such thing")  # noqa: TRY301 - what a line is made of
    except ValueError:
        record = logging.getLogger("t").makeRecord("t", logging.ERROR, "", 1, "it failed", (), sys.exc_info())
    assert "ValueError: no such thing" in json.loads(JsonLines().format(record))["exception"]


def test_inside_a_request_each_line_names_it_and_outside_none_does() -> None:
    with about_request("r-1"):
        assert line("x")["request_id"] == current_request_id() == "r-1"
        with about_request("r-2"):
            assert line("x")["request_id"] == "r-2"
        assert line("x", request_id="told")["request_id"] == "told"
    assert "request_id" not in line("x")
    assert current_request_id() == ""


async def test_work_in_a_thread_knows_the_request_and_the_next_work_there_does_not() -> None:
    threads = Threads(Nothing, count=1)

    async def ask(request_id: str) -> str:
        with about_request(request_id):
            return await threads.run(lambda _: current_request_id())

    assert await asyncio.gather(*(ask(f"r-{number}") for number in range(5))) == [f"r-{n}" for n in range(5)]
    assert await threads.run(lambda _: current_request_id()) == ""
    threads.close()


@pytest.fixture
def follower(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", FOLLOWER, str(tmp_path / "log-level")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def level_of(process: "subprocess.Popen[str]", wanted: int) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = time.monotonic() + 10
    while True:
        process.stdin.write("?\n")
        process.stdin.flush()
        level = int(process.stdout.readline())
        if level == wanted or time.monotonic() > deadline:
            return level
        time.sleep(0.05)


def test_a_process_follows_the_file_and_goes_back_when_it_is_gone(
    follower: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    file = tmp_path / "log-level"
    assert level_of(follower, logging.WARNING) == logging.WARNING
    change_level(file, "debug")
    assert level_of(follower, logging.DEBUG) == logging.DEBUG
    file.unlink()
    assert level_of(follower, logging.WARNING) == logging.WARNING


@pytest.mark.parametrize("content", [b"", b"loud", b"\xff\xfe", b"DEBUG;rm"])
def test_a_file_that_names_no_level_changes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log-level").write_bytes(content)
    assert changed_level(tmp_path / "log-level") == ""
