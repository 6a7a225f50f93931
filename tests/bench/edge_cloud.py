"""The real ingest process as the benchmark's store; what it has acknowledged is counted by listening to both ends."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from paho.mqtt.client import Client, MQTTMessage

from protocols.codec import unpack
from protocols.delivery import Ack, decode
from protocols.topics import GatewayTopic, gateway_filter, parse_gateway
from tests.bench.edge_ear import listening

READY = '"ready"'


class Tally:
    """Counts what an ack covers of what went by; one gateway."""

    def __init__(self) -> None:
        self.readings = self.batches = self.wire_bytes = 0
        self._flying: dict[tuple[int, int], tuple[int, int]] = {}

    def hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        """Take one message."""
        payload = bytes(message.payload)
        if parse_gateway(message.topic).part is GatewayTopic.ACK:
            self._settle(decode(payload, Ack))
        else:
            header = unpack(payload).header
            self._flying[header.epoch, header.seq] = (header.count, len(payload))

    def _settle(self, ack: Ack) -> None:
        marks = {told.epoch: told for told in ack.epochs}
        for epoch, seq in list(self._flying):
            if epoch in marks and marks[epoch].covers(seq):
                count, size = self._flying.pop((epoch, seq))
                self.readings += count
                self.batches += 1
                self.wire_bytes += size


class CloudProcess:
    """`lineside-cloud serve --only ingest` with a data directory of its own; a context manager."""

    def __init__(self, directory: Path, port: int) -> None:
        self._config = directory / "cloud.yaml"
        self._config.write_text(yaml.safe_dump({"data": "data", "mqtt": {"port": port}, "log": {"level": "error"}}))
        self._tally = Tally()
        topics = [gateway_filter(part) for part in (GatewayTopic.DATA, GatewayTopic.ACK)]
        self._ear = listening(port, topics, self._tally.hear)
        self._process: subprocess.Popen[str]

    @property
    def readings(self) -> int:
        """Return how many readings were acknowledged."""
        return self._tally.readings

    @property
    def batches(self) -> int:
        """Return how many batches were acknowledged."""
        return self._tally.batches

    @property
    def wire_bytes(self) -> int:
        """Return the payload bytes of those batches."""
        return self._tally.wire_bytes

    def __enter__(self) -> Self:
        program, config = str(Path(sys.executable).with_name("lineside-cloud")), str(self._config)
        subprocess.run([program, "init", "--config", config], check=True, stdout=subprocess.DEVNULL)
        command = [program, "serve", "--config", config, "--only", "ingest"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        if not any(READY in line for line in self._process.stderr):
            raise RuntimeError(f"{' '.join(command)} ended before it was ready")
        self._ear.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ear.__exit__(kind, error, trace)
        self._process.terminate()
        self._process.wait(20)
