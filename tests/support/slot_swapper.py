"""Swaps the packages of a Device for ever, for tests that kill it: `python -m tests.support.slot_swapper DIRECTORY`."""

import sys
from pathlib import Path

from edge_agent.models.shelf import Shelf
from edge_agent.models.slot import Kept, Slot

CONTENTS = (b"old" * 5_000, b"new" * 5_000)


def swap_for_ever(directory: Path) -> None:
    """Put a package, name it as the challenger, swap, and say each time that a swap is over."""
    shelf = Shelf(directory)
    version = 0
    slot = Slot()
    while True:
        version += 1
        content = CONTENTS[version % 2]
        kept = Kept("pump", version, shelf.put("pump-1", content), len(content))
        slot = slot.challenged(kept)
        shelf.keep_slot("pump-1", slot)
        slot = slot.swapped()
        shelf.keep_slot("pump-1", slot)
        sys.stdout.write(f"{version}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    swap_for_ever(Path(sys.argv[1]))
