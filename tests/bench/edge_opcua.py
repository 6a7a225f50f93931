"""The OPC UA server of the benchmark: changing float64 nodes, in a process of its own."""

import asyncio
import math
from itertools import count

from asyncua import ua

from tests.bench.measure import say
from tests.support.opcua_server import OpcuaTestServer

NODES = 100
MOVE_EVERY_S = 0.5


def node_names() -> list[str]:
    """Return the names of the nodes, under namespace 2."""
    return [f"oven.t{index}" for index in range(NODES)]


async def serve() -> None:
    """Listen, say the address, and change every node until killed."""
    server = OpcuaTestServer({name: ua.Variant(0.0, ua.VariantType.Double) for name in node_names()})
    await server.start()
    say(server.url)
    for step in count():
        for index, name in enumerate(node_names()):
            await server.set(name, ua.Variant(math.sin(step / 20 + index), ua.VariantType.Double))
        await asyncio.sleep(MOVE_EVERY_S)


if __name__ == "__main__":
    asyncio.run(serve())
