"""The Modbus server of the benchmark: slow sines with noise, and two registers that say when they were last changed.

Registers 0 and 1 hold the time of their change as uint32 microseconds, so that whoever sees a value knows its age.
"""

import argparse
import asyncio
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tests.bench.measure import now_us, say
from tests.support.modbus_server import Memory, RawServer

REGISTERS = 1000
STAMP_REGISTERS = 2
FRAMES = 500
MOVE_EVERY_S = 0.01


def movement() -> NDArray[np.uint16]:
    """Return the int16 values of every register at each step, shape (FRAMES, REGISTERS), the last meeting the first."""
    random = np.random.default_rng(3)
    turns, phase = random.integers(1, 4, REGISTERS), random.uniform(0, 6, REGISTERS)
    angle = 2 * np.pi * turns * np.arange(FRAMES)[:, None] / FRAMES + phase
    values = 2_000 * np.sin(angle) + random.normal(0, 5, (FRAMES, REGISTERS))
    return np.rint(values).astype(np.int16).view(np.uint16)


async def move(memory: Memory) -> None:
    """Set every register but the stamps anew, for ever."""
    frames = movement().astype(">u2")
    for step in count():
        memory.words[2 * STAMP_REGISTERS : 2 * REGISTERS] = frames[step % FRAMES, STAMP_REGISTERS:].tobytes()
        await asyncio.sleep(MOVE_EVERY_S)


async def stamp(memory: Memory, every_s: float) -> None:
    """Write the time into the first two registers at fixed intervals."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    for step in count(1):
        memory.words[: 2 * STAMP_REGISTERS] = (now_us() & 0xFFFF_FFFF).to_bytes(4, "big")
        await asyncio.sleep(begin_s + step * every_s - loop.time())


async def serve(every_s: float) -> None:
    """Listen, say the port, and change the registers until killed."""
    memory = Memory(size=REGISTERS)
    server = RawServer(memory.respond, keeps_requests=False)
    await server.start()
    say(str(server.port))
    await asyncio.gather(move(memory), stamp(memory, every_s))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stamp-every-s", type=float, default=1.0)
    asyncio.run(serve(parser.parse_args().stamp_every_s))


if __name__ == "__main__":
    main()
