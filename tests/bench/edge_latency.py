"""Change of a register -> subscriber, the agent and a bare loop side by side, on one server and one broker.

The server writes the time into a register at intervals that are no multiple of the poll's, so that the changes fall
evenly on every moment of it; what a subscriber sees first tells its own age. Waiting for the poll is part of it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from time import sleep

import numpy as np
from paho.mqtt.client import Client, MQTTMessage

from protocols.batch import BatchKind
from protocols.codec import open_data, unpack
from protocols.reading import Kind
from protocols.topics import GatewayTopic, gateway_topic
from tests.bench.edge_bare import TOPIC
from tests.bench.edge_ear import listening
from tests.bench.edge_line import GATEWAY, MakeStore, Wish, helper, surroundings
from tests.bench.measure import Figure, Target, now_us

POLL_S = 0.1
STAMP_EVERY_S = POLL_S * 1.618034
WISH = Wish(has_stamp=True, period_s=POLL_S, max_unsealed_s=0.01)
SETTLE_S = 3.0


class Ages:
    """The age of each new stamp when it is first seen, in milliseconds; read: takes the stamps out of a payload."""

    def __init__(self, read: Callable[[bytes], Sequence[int]]) -> None:
        self._read = read
        self._last = -1
        self.milliseconds: list[float] = []

    def hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        """Take one message."""
        at_us = now_us()
        for stamp in self._read(bytes(message.payload)):
            if stamp not in (0, self._last):
                self._last = stamp
                self.milliseconds.append(((at_us - stamp) & 0xFFFF_FFFF) / 1000)


def stamps_of_batch(payload: bytes) -> Sequence[int]:
    """Return the stamps in a batch of the agent, whose first Tag they are."""
    frame = unpack(payload)
    if frame.header.kind is not BatchKind.DATA:
        return ()
    columns = (column for column in open_data(frame).columns if column.kind is Kind.UINT)
    return [int(value) for column in columns for value in column.value[column.tag == 0]]


def stamps_of_json(payload: bytes) -> Sequence[int]:
    """Return the stamp in a message of the bare loop."""
    high, low = json.loads(payload)[:2]
    return [high << 16 | low]


def compare(directory: Path, seconds: float, *, store: MakeStore) -> list[Figure]:
    """Let both run at the same time and return median and p99 of each, and how far they are apart."""
    ours, bare = Ages(stamps_of_batch), Ages(stamps_of_json)
    with (
        surroundings(directory, store, stamp_every_s=STAMP_EVERY_S) as line,
        line.agent(WISH),
        helper("tests.bench.edge_bare", str(line.modbus_port), str(line.broker.port)),
        listening(line.broker.port, [gateway_topic(GATEWAY, GatewayTopic.DATA)], ours.hear),
        listening(line.broker.port, [TOPIC], bare.hear),
    ):
        line.wait_for_flow()
        sleep(SETTLE_S)
        ours.milliseconds.clear()
        bare.milliseconds.clear()
        sleep(seconds)
    return figures(ours.milliseconds, bare.milliseconds)


def figures(ours: Sequence[float], bare: Sequence[float]) -> list[Figure]:
    """Return the comparison."""
    if not ours or not bare:
        return [Figure("latency", float("nan"), "ms", Target(8), "nothing was received")]
    (our_median, our_p99), (bare_median, bare_p99) = (np.percentile(ages, (50, 99)).tolist() for ages in (ours, bare))
    return [
        Figure("latency: agent, median", our_median, "ms", note=f"{len(ours)} changes, 100 ms poll"),
        Figure("latency: bare loop, median", bare_median, "ms", note=f"{len(bare)} changes"),
        Figure("latency: median above the bare loop", our_median - bare_median, "ms", Target(8)),
        Figure("latency: agent, p99", our_p99, "ms"),
        Figure("latency: bare loop, p99", bare_p99, "ms"),
        Figure("latency: p99 above the bare loop", our_p99 - bare_p99, "ms", Target(40)),
    ]
