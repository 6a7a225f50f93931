"""The shelf: what was kept is there after a restart, a kill leaves the old or the new whole, damage is told."""

import random
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from edge_agent.models.shelf import Shelf, ShelfUnusable
from edge_agent.models.slot import Kept, Slot
from protocols.wanted import Wanted, WantedModel
from tests.support.packages import make_package
from tests.support.slot_swapper import CONTENTS


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def put(shelf: Shelf, version: int) -> Kept:
    data = make_package("pump", version).pack()
    return Kept("pump", version, shelf.put("pump-1", data), len(data))


def files(shelf: Shelf) -> set[str]:
    return {file.stem for file in (shelf.directory / "devices" / "pump-1").glob("*.lsp")}


def test_an_empty_shelf_has_nothing(shelf: Shelf) -> None:
    assert (shelf.wanted(), shelf.slot("pump-1"), shelf.devices()) == (None, Slot(), [])


def test_what_was_wanted_is_known_after_a_restart(shelf: Shelf) -> None:
    wanted = Wanted(7, (WantedModel("pump-1", "pump", 3, "pump/3.lsp"),))
    shelf.keep_wanted(wanted)
    assert Shelf(shelf.directory).wanted() == wanted


def test_a_slot_and_its_packages_are_there_after_a_restart(shelf: Shelf) -> None:
    slot = Slot(current=put(shelf, 2), previous=put(shelf, 1))
    shelf.keep_slot("pump-1", slot)
    again = Shelf(shelf.directory)
    assert (again.devices(), again.slot("pump-1")) == (["pump-1"], slot)
    assert slot.current is not None
    assert again.package("pump-1", slot.current) == make_package("pump", 2)


def test_packages_that_no_slot_names_go(shelf: Shelf) -> None:
    first, second = put(shelf, 1), put(shelf, 2)
    shelf.keep_slot("pump-1", Slot(current=first, challenger=second))
    shelf.keep_slot("pump-1", Slot(current=first))
    assert files(shelf) == {first.sha256}


def test_a_package_that_was_altered_is_not_served(shelf: Shelf) -> None:
    kept = put(shelf, 1)
    (file,) = (shelf.directory / "devices" / "pump-1").glob("*.lsp")
    file.write_bytes(file.read_bytes().replace(b'"threshold":', b'"threshold":1'))
    with pytest.raises(ShelfUnusable, match="was altered"):
        shelf.package("pump-1", kept)


def test_a_package_that_is_gone_is_told(shelf: Shelf) -> None:
    with pytest.raises(ShelfUnusable, match="is gone"):
        shelf.package("pump-1", Kept("pump", 1, "0" * 64, 1))


@pytest.mark.parametrize("name", ["wanted.json", "devices/pump-1/slot.json"])
def test_a_damaged_file_is_named(shelf: Shelf, name: str) -> None:
    shelf.keep_wanted(Wanted(1))
    shelf.keep_slot("pump-1", Slot())
    (shelf.directory / name).write_bytes(b"{")
    with pytest.raises(ShelfUnusable, match=name):
        shelf.slot("pump-1") if "slot" in name else shelf.wanted()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in its place")
    with pytest.raises(ShelfUnusable, match="cannot be"):
        Shelf(tmp_path / "models").keep_slot("pump-1", Slot())


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_swap_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    names = {sha256(content).hexdigest(): content for content in CONTENTS}
    directory, draw = tmp_path / "models", random.Random(3)
    for _ in range(12):
        swaps = swaps_until_killed(directory, after=draw.randint(1, 9), more_s=draw.uniform(0, 0.02))
        slot = Shelf(directory).slot("pump-1")
        assert slot.current is not None
        assert slot.current.version in (swaps, swaps + 1)
        for one in (slot.current, slot.previous, slot.challenger):
            if one is not None:
                file = directory / "devices" / "pump-1" / f"{one.sha256}.lsp"
                assert file.read_bytes() == names[one.sha256]


def swaps_until_killed(directory: Path, *, after: int, more_s: float) -> int:
    """Let a process swap so often and a little more, kill it with SIGKILL, and return how many swaps it told of."""
    command = [sys.executable, "-m", "tests.support.slot_swapper", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        try:
            process.wait(more_s)
        except subprocess.TimeoutExpired:
            process.kill()
        told = process.stdout.read().split()
    return int(told[-1]) if told else after
