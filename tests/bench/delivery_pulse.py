"""A loop that does nothing but sleep to the next point of a grid and note the time: how punctual the machine is."""

import argparse
import asyncio
from itertools import count
from pathlib import Path

from tests.bench.measure import now_us, say


async def beat(path: Path, period_s: float) -> None:
    """Append the time as int64 microseconds at each point, for ever."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    with path.open("wb", buffering=0) as file:
        say("ready")
        for step in count(1):
            file.write(now_us().to_bytes(8, "little", signed=True))
            await asyncio.sleep(begin_s + step * period_s - loop.time())


def main() -> None:
    """Beat until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("period_s", type=float)
    given = parser.parse_args()
    asyncio.run(beat(given.path, given.period_s))


if __name__ == "__main__":
    main()
