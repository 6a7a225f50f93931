"""`scan modbus`: what it finds, what it writes, and what it says where it finds nothing; it only ever reads."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.ports import free_port
from edge_agent.commands.app import app
from edge_agent.drivers.modbus_scan import MOST_SILENT
from tests.support.modbus_server import ILLEGAL_FUNCTION, Memory, RawServer, Request, Respond

QUICK = ["--timeout", "0.05", "--pause", "0"]
READS = {3, 4}


@dataclass
class Plant:
    """Units by number, each a memory of its own; register 0 of each counts the reads; the others stay silent."""

    units: dict[int, Memory]
    holding_only: bool = False
    asked: int = field(default=0)

    def respond(self, request: Request) -> bytes | None:
        """Answer for the unit that is asked."""
        memory = self.units.get(request.unit)
        if memory is None:
            return None
        if self.holding_only and request.function != 3:
            return request.refuse(ILLEGAL_FUNCTION)
        self.asked += 1
        memory.set_registers(0, [self.asked])
        return memory.respond(request)


def memory(size: int = 128, illegal: frozenset[int] = frozenset(), **registers: int) -> Memory:
    """Return a memory with some registers set, such as r5=42."""
    made = Memory(size=size, illegal=illegal)
    for name, value in registers.items():
        made.set_registers(int(name.removeprefix("r")), [value])
    return made


@contextmanager
def beside(respond: Respond) -> Iterator[RawServer]:
    """Run a server on a loop of its own, so that the command can have this thread's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = RawServer(respond)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        yield server
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def scan(port: int, *words: str) -> Result:
    """Run the command against a port of this machine."""
    return CliRunner().invoke(app, ["scan", "modbus", f"127.0.0.1:{port}", *QUICK, *words])


def tags_of(text: str, device: int = 0) -> list[str]:
    """Return the names of a Device's Tags in a configuration."""
    return [tag["name"] for tag in yaml.safe_load(text)["devices"][device]["tags"]]


def test_what_it_writes_passes_check_and_is_read_by_test(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    with beside(Plant({1: memory(r5=42), 3: memory(size=10, r7=7)}).respond) as server:
        found = scan(server.port, "--units", "1-3", "-o", str(path), "--gateway", "on", "--broker", "mq.example.org")
        checked = CliRunner().invoke(app, ["check", str(path)])
        tested = CliRunner().invoke(app, ["test", "--once", str(path), "--json"])
        assert {request.function for request in server.requests} == READS
        counted = len(server.requests)
    assert (found.exit_code, checked.exit_code, tested.exit_code) == (0, 0, 0)
    assert "gateway on, 2 devices, 8 tags" in checked.output
    assert {(row["tag"], row["raw"]) for row in json.loads(tested.stdout)} >= {("h5", 42), ("i5", 42), ("h7", 7)}
    assert "no answer from unit 2" in found.output
    assert f"next: lineside-agent check {path}" in found.output
    assert yaml.safe_load(path.read_text())["uplink"] == {"host": "mq.example.org"}
    assert f"{counted - 4} requests" in found.output, "the test reads two tables of two units after the scan"


def test_a_comment_says_what_a_register_showed_and_zeros_are_left_out() -> None:
    with beside(Plant({1: memory(size=10, r5=42)}, holding_only=True).respond) as server:
        found = scan(server.port, "--units", "1")
    assert found.exit_code == 0
    assert tags_of(found.stdout) == ["h0", "h5"]
    assert "type: uint16}  # 42 both times" in found.stdout
    assert ": moves" in found.stdout
    assert "# holding 1-4, 6-9: 0 both times, left out" in found.stdout


def test_holes_are_found_by_halving_within_the_bounds_given() -> None:
    holes = frozenset({12, 13, 20})
    filled = memory(64, holes, **{f"r{address}": address for address in range(64)})
    with beside(Plant({1: filled}, holding_only=True).respond) as server:
        found = scan(server.port, "--units", "1", "--registers", "10-29")
        assert all(10 <= request.address < 30 for request in server.requests)
    assert tags_of(found.stdout) == [f"h{address}" for address in range(10, 30) if address not in holes]


def test_a_device_that_answers_to_any_number_is_written_once() -> None:
    same = memory(size=40, r5=42)
    with beside(Plant(dict.fromkeys((1, 2, 255), same)).respond) as server:
        found = scan(server.port, "--units", "1,2,255", "--json")
        assert sum(request.unit != 1 for request in server.requests) < 30, "the second and third cost little"
    document = json.loads(found.stdout)
    assert [(unit["unit"], unit["same_as"]) for unit in document["units"]] == [(1, None), (2, 1), (255, 1)]
    assert len(yaml.safe_load(document["config"])["devices"]) == 1
    assert document["requests"] == len(server.requests)


def test_a_unit_that_knows_more_than_the_one_before_is_searched_whole() -> None:
    units = {1: memory(size=10, r5=1), 2: memory(size=20, r5=1, r15=3)}
    with beside(Plant(units, holding_only=True).respond) as server:
        found = scan(server.port, "--units", "1-2")
    assert tags_of(found.stdout, device=1) == ["h0", "h5", "h15"]


def test_a_unit_of_zeros_keeps_one_tag_so_that_the_file_can_be_read() -> None:
    with beside(memory(size=4).respond) as server:
        found = scan(server.port, "--units", "1")
    assert (found.exit_code, tags_of(found.stdout)) == (0, ["h0"])


def test_it_gives_up_after_many_silent_units() -> None:
    with beside(Plant({1: memory(size=4)}).respond) as server:
        found = scan(server.port, "--units", "1-40", "--timeout", "0.01")
        assert {request.unit for request in server.requests} == set(range(1, MOST_SILENT + 2))
    assert f"gave up before unit {MOST_SILENT + 2}" in found.output


def test_a_device_that_hangs_up_on_unknown_units_is_given_time_to_listen_again() -> None:
    plant = Plant({2: memory(size=4, r1=5)})
    away: list[asyncio.Task[None]] = []

    def respond(request: Request) -> bytes | None:
        if request.unit == 1:
            away.append(asyncio.get_running_loop().create_task(leave_and_return()))
            return b""
        return plant.respond(request)

    async def leave_and_return() -> None:
        port = server.port
        await server.stop()
        await asyncio.sleep(0.1)
        await server.start(port)

    with beside(respond) as server:
        found = scan(server.port, "--units", "1-2")
    assert (found.exit_code, tags_of(found.stdout)) == (0, ["h0", "h1", "i0", "i1"])


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("mine")
    with beside(memory(size=4, r1=1).respond) as server:
        refused = scan(server.port, "--units", "1", "-o", str(path))
        assert (refused.exit_code, path.read_text(), server.requests) == (2, "mine", [])
        assert "--force" in refused.output
        assert scan(server.port, "--units", "1", "-o", str(path), "--force").exit_code == 0
    assert tags_of(path.read_text()) == ["h1", "i1"]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with beside(memory(size=4).respond) as server:
        found = scan(server.port, "--units", "1", "-o", str(tmp_path / "missing" / "agent.yaml"))
    assert (found.exit_code, "cannot be written" in found.output) == (1, True)


def test_nobody_listening_says_what_to_look_at() -> None:
    found = scan(free_port())
    assert found.exit_code == 1
    assert "cannot open tcp://127.0.0.1" in found.output
    assert "next: is it switched on" in found.output


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b""])
def test_what_is_not_modbus_is_said_to_be_none(words: bytes) -> None:
    with beside(lambda _: words) as server:
        found = scan(server.port, "--units", "1-3")
    assert found.exit_code == 1
    assert "no unit of 3 answers" in found.output
    assert "next: is it Modbus at all?" in found.output
    assert ("not Modbus" in found.output) == bool(words)


def test_a_unit_that_refuses_everything_names_the_option_to_use() -> None:
    with beside(memory(size=0).respond) as server:
        found = scan(server.port, "--units", "7", "--registers", "0-15")
    assert found.exit_code == 1
    assert "unit 7 answers, but none of the registers 0-15" in found.output
    assert "--registers 1000-1099" in found.output


@pytest.mark.parametrize(
    "words",
    [
        ["/dev/ttyUSB0"],
        ["plc:many"],
        ["plc", "--units", "0-256"],
        ["plc", "--units", "5-1"],
        ["plc", "--units", ""],
        ["plc", "--registers", "0-65536"],
        ["plc", "--registers", "²"],
        ["plc", "--gateway", "my gateway"],
        ["plc", "--broker", "mqtt://plc"],
    ],
    ids=" ".join,
)
def test_wrong_words_are_a_usage_error_before_anything_is_asked(words: list[str]) -> None:
    found = CliRunner().invoke(app, ["scan", "modbus", *words])
    assert (found.exit_code, "Traceback" in found.output) == (2, False)
