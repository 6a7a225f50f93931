"""Measures ingest: `python -m tests.bench.ingest [--seconds 15] [--gateways 4] [--report FILE]`.

A loader publishes frames of so many gateways through a real mosquitto, eight of each in flight, as agents do; one
ingest process with the chunk store decodes, commits with FULL sync and acknowledges them, and merges meanwhile. The
frames are made before the clock starts: 250 tags, ten polls a frame, values that walk in steps of 0.01. What
counts is what was acknowledged; CPU is the ingest process' own, all threads, start-up left out. It runs twice: as fast
as it goes, and at 150,000 readings/s, where the time without an ack is a stall and not a queue; there the gateways
take turns, for if all sent at once, the time between two such moments would count as a stall.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud.ingest.link import send_at_once
from cloud.ingest.remote import RemoteIntake
from protocols.batch import Key
from protocols.codec import pack, seal_data, seal_tags
from protocols.delivery import Ack, Hello, decode, encode
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from protocols.topics import GatewayTopic, gateway_filter, gateway_topic, parse_gateway
from tests.bench.measure import Figure, Target, Watched, save, say, table
from tests.support.broker import Broker
from tests.support.ingest_process import IngestProcess
from tests.support.waiting import wait_until

EPOCH = 4711
DEVICES, TAGS_EACH, POLLS = 5, 50, 10
PERIOD_US = 100_000
WINDOW = 8
SEED = 7
PER_FRAME = DEVICES * TAGS_EACH * POLLS
MOST_PER_S = 600_000
"""So many readings a second are prepared for a run that goes as fast as it can."""
TARGET_PER_S = 150_000
_NAP_S = 0.002
AT_LEAST = Target(TARGET_PER_S, is_most=False)


def tag_table() -> TagTable:
    """Return the table that every gateway uses."""
    devices = tuple(DeviceInfo(f"machine-{number}") for number in range(DEVICES))
    tags = tuple(
        TagInfo(device, f"tag-{number}", Kind.FLOAT, period_s=PERIOD_US / 1e6)
        for device in range(DEVICES)
        for number in range(TAGS_EACH)
    )
    return TagTable(devices, tags)


def make_frames(gateway: str, count: int, start_us: int, rng: np.random.Generator) -> list[bytes]:
    """Return the tag table's frame and so many frames of readings that follow one another."""
    names = tag_table()
    width = len(names.tags)
    values = np.round(50 + np.cumsum(rng.normal(0, 0.2, (count * POLLS, width)), axis=0), 2)
    frames = [pack(seal_tags(names, segment=0), gateway=gateway, key=Key(EPOCH, 1))]
    for number in range(count):
        first = start_us + number * POLLS * PERIOD_US
        column = Column(
            Kind.FLOAT,
            np.tile(np.arange(width, dtype=np.uint32), POLLS),
            np.repeat(first + PERIOD_US * np.arange(POLLS, dtype=np.int64), width),
            values[number * POLLS : (number + 1) * POLLS].reshape(-1).copy(),
            np.zeros(width * POLLS, dtype=np.uint8),
        )
        sealed = seal_data(ReadingBlock((column,)), segment=0, table=names.hash)
        frames.append(pack(sealed, gateway=gateway, key=Key(EPOCH, 2 + number)))
    return frames


@dataclass(slots=True)
class Sender:
    """One gateway's frames on their way: sent up to `sent`, settled up to `settled`; frame i has seq i + 1.

    offset: the part of the time between two frames by which its frames come later than those of the first gateway.
    """

    name: str
    frames: list[bytes]
    offset: float = 0.0
    sent: int = 0
    settled: int = 0
    sent_at_s: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Return whether all is settled."""
        return self.settled == len(self.frames)


class Loader:
    """Publishes for all gateways over one connection, in its client's own thread."""

    def __init__(self, port: int, senders: Sequence[Sender]) -> None:
        self._senders = {sender.name: sender for sender in senders}
        self.answered_at_s: list[float] = []
        self.is_welcome = threading.Event()
        self._begun_s = self._deadline_s = time.monotonic()
        self._per_s = 0.0
        self.overslept_s = 0.0
        self._filling = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.on_socket_open = send_at_once
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(gateway_filter(GatewayTopic.ACK), qos=1)
        self._client.loop_start()

    @property
    def is_done(self) -> bool:
        """Return whether everything that was sent is settled, and nothing more will be sent."""
        over = time.monotonic() > self._deadline_s
        return all(one.is_done or (over and one.settled >= one.sent) for one in self._senders.values())

    def say_hello(self) -> bool:
        """Publish a hello; return whether one was answered yet."""
        name = next(iter(self._senders))
        words = Hello(1, "bench", (), time.time_ns() // 1000, 0, 0)
        self._client.publish(gateway_topic(name, GatewayTopic.HELLO), encode(words), qos=1)
        return self.is_welcome.wait(0.2)

    def run(self, *, seconds: float, per_s: float) -> None:
        """Send at most so many frames a second of each gateway for so long, and wait until all is settled."""
        self._begun_s, self._per_s = time.monotonic(), per_s
        self._deadline_s = self._begun_s + seconds
        while not self.is_done:
            for sender in self._senders.values():
                self._fill(sender)
            slept_s = time.monotonic()
            assert slept_s < self._deadline_s + 60, "not everything was acknowledged"
            time.sleep(_NAP_S)
            self.overslept_s = max(self.overslept_s, time.monotonic() - slept_s - _NAP_S)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _fill(self, sender: Sender) -> None:
        topic = gateway_topic(sender.name, GatewayTopic.DATA)
        with self._filling:
            now_s = time.monotonic()
            due = 1 + int((now_s - self._begun_s) * self._per_s - sender.offset)
            last = min(len(sender.frames), sender.settled + WINDOW, due)
            while sender.sent < last and now_s < self._deadline_s:
                sender.sent_at_s.append(now_s)
                self._client.publish(topic, sender.frames[sender.sent], qos=1)
                sender.sent += 1

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:  # noqa: ANN401 paho's own
        now_s = time.monotonic()
        ack = decode(bytes(message.payload), Ack)
        self.is_welcome.set()
        sender = self._senders[parse_gateway(message.topic).gateway]
        for marks in ack.epochs:
            while sender.settled < sender.sent and marks.covers(sender.settled + 1):
                sender.took_s.append(now_s - sender.sent_at_s[sender.settled])
                sender.settled += 1
            self.answered_at_s.append(now_s)
        self._fill(sender)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to; gap_s: times between acks; overslept_s: how late the machine woke an idle thread."""

    readings: int
    took_s: float
    cpu_s: float
    rss_mib: float
    wire: float
    disk: float
    latency_s: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    longest_s: dict[str, float]
    overslept_s: float


def run(directory: Path, *, seconds: float, gateways: int, per_s: float) -> Run:
    """Load a new ingest process with at most so many readings a second."""
    rng = np.random.default_rng(SEED)
    each = int(min(per_s, MOST_PER_S) * seconds / PER_FRAME / gateways)
    start_us = time.time_ns() // 1000 - each * POLLS * PERIOD_US
    senders = [Sender(f"gw-{n}", make_frames(f"gw-{n}", each, start_us, rng), n / gateways) for n in range(gateways)]
    with Broker(directory / "broker") as broker, IngestProcess(directory, port=broker.port) as ingest:
        loader = Loader(broker.port, senders)
        wait_until(loader.say_hello)
        watched = Watched(ingest.pid)
        before = watched.sample()
        loader.run(seconds=seconds, per_s=per_s / PER_FRAME / gateways)
        after = watched.sample()
        loader.close()
        longest_s = asyncio.run(_longest(ingest.door))
        size = sum(path.stat().st_size for path in directory.glob("readings.db*"))
    readings = PER_FRAME * sum(one.settled - 1 for one in senders)
    return Run(
        readings=readings,
        took_s=after.at_s - before.at_s,
        cpu_s=after.cpu_s - before.cpu_s,
        rss_mib=after.rss_mib,
        wire=sum(len(frame) for one in senders for frame in one.frames[1 : one.settled]) / readings,
        disk=size / readings,
        latency_s=np.array([one for sender in senders for one in sender.took_s]),
        gap_s=np.diff(np.array(loader.answered_at_s)),
        longest_s=longest_s,
        overslept_s=loader.overslept_s,
    )


async def _longest(door: Path) -> dict[str, float]:
    async with RemoteIntake(door) as intake:
        return {one.name: one.value for one in await intake.samples() if "longest" in one.name}


def measure(directory: Path, *, seconds: float, gateways: int) -> list[Figure]:
    """Run flat out and at the target's pace, and return what was measured."""
    flat = run(directory / "flat", seconds=seconds, gateways=gateways, per_s=1e9)
    paced = run(directory / "paced", seconds=seconds, gateways=gateways, per_s=TARGET_PER_S)
    return [
        Figure("readings durable and acknowledged, flat out", flat.readings / flat.took_s, "/s", AT_LEAST),
        Figure("CPU of the ingest process, flat out", flat.cpu_s / flat.readings * 1e6, "us/reading", Target(2.5)),
        Figure("CPU of the ingest process, paced", paced.cpu_s / paced.readings * 1e6, "us/reading", Target(2.5)),
        Figure("longest time without an ack, paced, merging", paced.gap_s.max() * 1e3, "ms", Target(100)),
        Figure(
            "a nap of the loader, too long by up to, paced", paced.overslept_s * 1e3, "ms", note="the machine's share"
        ),
        Figure("frame to ack, median, paced", float(np.median(paced.latency_s)) * 1e3, "ms"),
        Figure("frame to ack, 99 %, paced", float(np.percentile(paced.latency_s, 99)) * 1e3, "ms"),
        *(Figure(f"{name}, paced", value * 1e3, "ms") for name, value in paced.longest_s.items()),
        Figure("memory of the ingest process, flat out", flat.rss_mib, "MiB"),
        Figure("on the wire", flat.wire, "bytes/reading"),
        Figure("on the disk, WAL and unmerged batches included", flat.disk, "bytes/reading"),
        Figure("readings, flat out and paced", flat.readings + paced.readings, ""),
    ]


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--report", type=Path)
    wishes = parser.parse_args()
    with TemporaryDirectory() as directory:
        figures = measure(Path(directory), seconds=wishes.seconds, gateways=wishes.gateways)
    say(table("MQTT -> decoded -> durable -> acknowledged", figures))
    if wishes.report:
        save(wishes.report, figures)


if __name__ == "__main__":
    main()
