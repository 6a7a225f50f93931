"""However the demo ends, nothing of it runs on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEMO = Path(sys.executable).parent / "lineside-demo"
pytestmark = [pytest.mark.slow, pytest.mark.loop, pytest.mark.timeout(300)]


def running(directory: Path) -> list[str]:
    """Return the command lines of all programs that work in this folder, the demo itself excepted."""
    found = subprocess.run(["pgrep", "-af", str(directory)], capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if "lineside-demo" not in line]


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fail where it does not come to be."""
    deadline = time.monotonic() + 150
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let children hear SIGINT, even where these tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "is_orderly"), [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGKILL, False)]
)
def test_however_the_demo_ends_nothing_is_left_behind(tmp_path: Path, number: int, *, is_orderly: bool) -> None:
    report = tmp_path / "report.json"
    work = tmp_path / "work"
    command = [str(DEMO), "--keep", str(work), "--report", str(report)]
    with interruptible(), subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as demo:
        try:
            agent_log = work / "agent.log"
            wait_until(lambda: agent_log.exists() and '"started"' in agent_log.read_text(), "the agent has not started")
            assert len(running(work)) >= 4
            demo.send_signal(number)
            demo.wait(120)
        finally:
            demo.kill()
    wait_until(lambda: running(work) == [], f"still there: {running(work)}")
    assert report.exists() == is_orderly
