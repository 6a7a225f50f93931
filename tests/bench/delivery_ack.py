"""From a reading to its acknowledgement by the store, agent, broker and ingest as real processes on loopback."""

from collections.abc import Sequence
from pathlib import Path
from time import sleep

import numpy as np
from paho.mqtt.client import Client, MQTTMessage

from protocols.batch import BatchKind
from protocols.codec import open_data, unpack
from protocols.delivery import Ack, decode
from protocols.topics import GatewayTopic, gateway_topic, parse_gateway
from tests.bench.edge_cloud import CloudProcess
from tests.bench.edge_ear import listening
from tests.bench.edge_line import GATEWAY, Wish, surroundings
from tests.bench.measure import Figure, Target, now_us

WISH = Wish(registers=100, period_s=0.1, max_unsealed_s=0.01)
SETTLE_S = 5.0


class Acks:
    """Milliseconds until the ack was heard: from the newest reading of each batch, and from the batch itself."""

    def __init__(self) -> None:
        self.from_reading: list[float] = []
        self.from_batch: list[float] = []
        self._flying: dict[tuple[int, int], tuple[int, int]] = {}

    def hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        """Take one message."""
        at_us, payload = now_us(), bytes(message.payload)
        if parse_gateway(message.topic).part is GatewayTopic.ACK:
            self._settle(decode(payload, Ack), at_us)
            return
        frame = unpack(payload)
        if frame.header.kind is BatchKind.DATA:
            newest_us = max(int(column.time_us.max()) for column in open_data(frame).columns)
            self._flying[frame.header.epoch, frame.header.seq] = (newest_us, at_us)

    def _settle(self, ack: Ack, at_us: int) -> None:
        marks = {told.epoch: told for told in ack.epochs}
        for epoch, seq in list(self._flying):
            if epoch in marks and marks[epoch].covers(seq):
                newest_us, sent_us = self._flying.pop((epoch, seq))
                self.from_reading.append((at_us - newest_us) / 1000)
                self.from_batch.append((at_us - sent_us) / 1000)


def acks(directory: Path, seconds: float) -> Sequence[Figure]:
    """Let 1,000 readings a second flow for so long."""
    heard = Acks()
    topics = [gateway_topic(GATEWAY, part) for part in (GatewayTopic.DATA, GatewayTopic.ACK)]
    with (
        surroundings(directory, CloudProcess) as line,
        line.agent(WISH) as agent,
        listening(line.broker.port, topics, heard.hear),
    ):
        line.wait_for_flow()
        sleep(SETTLE_S)
        heard.from_reading.clear()
        heard.from_batch.clear()
        sleep(seconds)
        commit_s = agent.status().buffer.commit_s
    if not heard.from_reading:
        return [Figure("ack: a reading until its ack, median", float("nan"), "ms", Target(50), "nothing was acked")]
    median, p99, worst = np.percentile(heard.from_reading, (50, 99, 100)).tolist()
    from_batch, batch_p99 = np.percentile(heard.from_batch, (50, 99)).tolist()
    return [
        Figure("ack: a reading until its ack, median", median, "ms", Target(50), f"{len(heard.from_reading)} batches"),
        Figure("ack: a reading until its ack, 99 %", p99, "ms", Target(250), "both commits are in it"),
        Figure("ack: a reading until its ack, longest", worst, "ms"),
        Figure("ack: of that, batch until its ack, median", from_batch, "ms", note="as the broker sees it"),
        Figure("ack: of that, batch until its ack, 99 %", batch_p99, "ms"),
        Figure("ack: last commit of the agent", commit_s * 1000, "ms"),
    ]
