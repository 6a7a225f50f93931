"""A bare loop to compare with: pymodbus reads every 100 ms, paho publishes what came as JSON; no buffer, no promise."""

import argparse
import asyncio
import json

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pymodbus.client import AsyncModbusTcpClient

from tests.bench.edge_server import REGISTERS
from tests.bench.measure import say

TOPIC = "bare/data"
PERIOD_S = 0.1
MOST = 125


async def poll(modbus_port: int, client: Client) -> None:
    """Read all registers and publish them, on a fixed grid."""
    modbus = AsyncModbusTcpClient("127.0.0.1", port=modbus_port)
    await modbus.connect()
    loop = asyncio.get_running_loop()
    next_s = loop.time()
    while True:
        values: list[int] = []
        for address in range(0, REGISTERS, MOST):
            answer = await modbus.read_holding_registers(address, count=min(MOST, REGISTERS - address))
            values += answer.registers
        client.publish(TOPIC, json.dumps(values), qos=1)
        next_s += PERIOD_S
        await asyncio.sleep(max(0.0, next_s - loop.time()))


def main() -> None:
    """Poll and publish until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modbus_port", type=int)
    parser.add_argument("broker_port", type=int)
    given = parser.parse_args()
    client = Client(CallbackAPIVersion.VERSION2, client_id="bare", protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", given.broker_port)
    client.loop_start()
    say("polling")
    asyncio.run(poll(given.modbus_port, client))


if __name__ == "__main__":
    main()
