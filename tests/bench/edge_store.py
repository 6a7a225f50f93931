"""The cloud's part in the benchmark, durable but minimal: decodes each batch, commits it with FULL, acknowledges it."""

import ctypes
import multiprocessing
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from protocols.batch import BatchKind
from protocols.codec import open_data, unpack
from protocols.delivery import Ack, EpochMarks, Hello, decode, encode
from protocols.topics import GatewayTopic, gateway_filter, gateway_topic, parse_gateway
from tests.bench.measure import wait_until

GENERATION = 1
_READINGS, _BATCHES, _BYTES, _READY = range(4)


class Marks:
    """What is stored of one epoch: all up to c, and single ones beyond."""

    def __init__(self) -> None:
        self.c = 0
        self._beyond: set[int] = set()

    def add(self, seq: int) -> bool:
        """Count one batch; return False where it is here already."""
        if seq <= self.c or seq in self._beyond:
            return False
        self._beyond.add(seq)
        while self.c + 1 in self._beyond:
            self.c += 1
            self._beyond.discard(self.c)
        return True

    def told(self, epoch: int) -> EpochMarks:
        """Return the marks as an ack says them."""
        return EpochMarks(epoch, self.c, tuple((seq, seq) for seq in sorted(self._beyond)))


class DurableStore:
    """Takes what the broker brings in groups: one commit, then one ack a gateway. counters: shared with the bench."""

    def __init__(self, path: Path, port: int, counters: "ctypes.Array[ctypes.c_longlong]") -> None:
        self._counters = counters
        self._waiting: SimpleQueue[MQTTMessage] = SimpleQueue()
        self._marks: dict[str, defaultdict[int, Marks]] = defaultdict(lambda: defaultdict(Marks))
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("CREATE TABLE batch (epoch INTEGER, seq INTEGER, frame BLOB, PRIMARY KEY (epoch, seq))")
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="store", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self._waiting.put(message)
        self._client.on_subscribe = self._note_ready
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(gateway_filter(part), 1) for part in (GatewayTopic.DATA, GatewayTopic.HELLO)])

    def run(self) -> None:
        """Store for ever."""
        self._client.loop_start()
        while True:
            group = [self._waiting.get()]
            while not self._waiting.empty():
                group.append(self._waiting.get())
            self._take(group)

    def _note_ready(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
        self._counters[_READY] = 1

    def _take(self, group: Sequence[MQTTMessage]) -> None:
        touched: dict[str, int | None] = {}
        stored = [0, 0, 0]
        self._database.execute("BEGIN")
        for message in group:
            address = parse_gateway(message.topic)
            if address.part is GatewayTopic.HELLO:
                touched[address.gateway] = decode(bytes(message.payload), Hello).nonce
            else:
                touched.setdefault(address.gateway, None)
                more = self._store(bytes(message.payload))
                stored = [before + some for before, some in zip(stored, more, strict=True)]
        self._database.execute("COMMIT")
        for gateway, nonce in touched.items():
            marks = tuple(marks.told(epoch) for epoch, marks in self._marks[gateway].items())
            ack = Ack(GENERATION, marks, nonce=nonce)
            self._client.publish(gateway_topic(gateway, GatewayTopic.ACK), encode(ack), qos=1)
        for counter, some in zip((_READINGS, _BATCHES, _BYTES), stored, strict=True):
            self._counters[counter] += some

    def _store(self, payload: bytes) -> tuple[int, int, int]:
        """Return how many readings, batches and bytes are new."""
        frame = unpack(payload)
        header = frame.header
        if not self._marks[header.gateway][header.epoch].add(header.seq):
            return 0, 0, 0
        self._database.execute("INSERT INTO batch VALUES (?, ?, ?)", (header.epoch, header.seq, payload))
        return len(open_data(frame)) if header.kind is BatchKind.DATA else 0, 1, len(payload)


def _run(path: Path, port: int, counters: Any) -> None:  # noqa: ANN401 - a ctypes array, whose class has no name
    DurableStore(path, port, counters).run()


class StoreProcess:
    """A DurableStore in a process of its own; a context manager."""

    def __init__(self, directory: Path, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._counters = context.Array(ctypes.c_longlong, 4, lock=False)
        arguments = (directory / "store.db", port, self._counters)
        self._process = context.Process(target=_run, args=arguments, daemon=True)

    @property
    def readings(self) -> int:
        """Return how many readings were decoded, committed and acknowledged."""
        return int(self._counters[_READINGS])

    @property
    def batches(self) -> int:
        """Return how many batches were committed."""
        return int(self._counters[_BATCHES])

    @property
    def wire_bytes(self) -> int:
        """Return the payload bytes of those batches."""
        return int(self._counters[_BYTES])

    def __enter__(self) -> Self:
        self._process.start()
        wait_until(lambda: bool(self._counters[_READY]), "the store subscribes")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
