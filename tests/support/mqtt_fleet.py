"""MqttFleet: many gateways in one process: real topics, the agent's own fetching, loading and scoring of packages."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.detectors.loader import load_network
from edge_agent.models.errand import FetchErrand
from edge_agent.models.fetch import fetch
from protocols.delivery import EpochRange, Hello, State, encode
from protocols.package import Package, unpack_package
from protocols.scoring.scorer import Scorer
from protocols.topics import GatewayTopic, gateway_filter, gateway_topic, parse_gateway
from protocols.wanted import OWN, ModelStanding, Standing, Wanted, WantedModel, decode_wanted
from tests.support.packages import normal_rows
from tests.support.waiting import wait_until

DEVICE = "pump-1"
_ROWS = 400
_FETCH_S = 60.0


@dataclass(frozen=True)
class Site:
    """Where the cloud is, and what a gateway was enrolled with."""

    mqtt_port: int
    url: str
    key: str
    root: Path
    directory: Path


@dataclass
class MqttGateway:
    """One gateway with one Device; served: every `name@version` that ever decided, in order."""

    name: str
    site: Site
    tell: Callable[[str, GatewayTopic, bytes], None]
    seed: int
    revision: int = -1
    shelf: dict[str, Package] = field(default_factory=dict)
    served: list[str] = field(default_factory=lambda: [f"{OWN}@1"])

    def say_hello(self) -> None:
        """Say the first words and how the Device is judged."""
        hello = Hello(1, "1.0.0", (EpochRange(self.seed + 1, 1, 0, closed=False),), 0, 0, 0)
        self.tell(self.name, GatewayTopic.HELLO, encode(hello))
        self._say(ModelStanding(DEVICE, OWN, 1, Standing.SERVING, rows=_ROWS, over=0.01))

    def heed(self, wanted: Wanted) -> None:
        """Do what is wanted, unless something newer was."""
        if wanted.revision <= self.revision:
            return
        self.revision = wanted.revision
        model = next((one for one in wanted.models if one.device == DEVICE), None)
        if model is None:
            self._serve(ModelStanding(DEVICE, OWN, 1, Standing.SERVING, rows=_ROWS, over=0.01))
        elif model.path in self.shelf or self._bring(model):
            self._judge(model, self.shelf[model.path])

    def _bring(self, model: WantedModel) -> bool:
        stands = ModelStanding(DEVICE, model.name, model.version, Standing.FETCHING, model.rollout)
        self._say(stands)
        errand = FetchErrand(
            directory=str(self.site.directory / self.name),
            url=self.site.url,
            root=str(self.site.root),
            key=self.site.key,
            paths=(model.path,),
            limit_s=_FETCH_S,
        )
        (fetched,) = fetch(errand).found
        if fetched.reason is not None:
            reason = f"{fetched.reason}: {fetched.detail}"
            self._say(ModelStanding(DEVICE, model.name, model.version, Standing.REFUSED, model.rollout, reason))
            return False
        self.shelf[model.path] = unpack_package(Path(fetched.file).read_bytes())
        return True

    def _judge(self, model: WantedModel, package: Package) -> None:
        scorer = Scorer(package.card.scoring, load_network(package.network))
        over = float(np.mean(scorer.take(normal_rows(_ROWS, seed=self.seed + 100)).is_over))
        stands = ModelStanding(
            DEVICE, model.name, model.version, Standing.SERVING, model.rollout, rows=_ROWS, over=over
        )
        if model.shadow_rows:
            self._say(msgspec.structs.replace(stands, standing=Standing.SHADOWING, agreement=1.0 - over))
        self._serve(stands)

    def _serve(self, stands: ModelStanding) -> None:
        self.served.append(f"{stands.name}@{stands.version}")
        self._say(stands)

    def _say(self, stands: ModelStanding) -> None:
        state = State(online=True, epoch=self.seed + 1, version="1.0.0", models=(stands,))
        self.tell(self.name, GatewayTopic.STATE, encode(state))


class MqttFleet:
    """A context manager; one connection to the broker speaks for all, a few threads do what is wanted."""

    def __init__(self, site: Site, count: int, *, threads: int = 4) -> None:
        self.gateways = {
            f"gw-{number}": MqttGateway(f"gw-{number}", site, self._tell, number) for number in range(count)
        }
        self.trouble: list[Exception] = []
        self._port = site.mqtt_port
        self._work: queue.Queue[tuple[str, Wanted] | None] = queue.Queue()
        self._busy = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        self._turns = {name: threading.Lock() for name in self.gateways}
        self._is_subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(100)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._is_subscribed.set()
        self._client.on_message = self._on_message

    def serving(self) -> dict[str, str]:
        """Return what decides on each gateway now."""
        return {name: gateway.served[-1] for name, gateway in self.gateways.items()}

    def who_ever_served(self, label: str) -> set[str]:
        """Return the gateways on which `name@version` ever decided."""
        return {name for name, gateway in self.gateways.items() if label in gateway.served}

    def is_connected(self) -> bool:
        """Return whether the broker is there."""
        return self._client.is_connected()

    def _tell(self, gateway: str, part: GatewayTopic, payload: bytes) -> None:
        self._client.publish(gateway_topic(gateway, part), payload, qos=1, retain=part is GatewayTopic.STATE)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            name, wanted = work
            try:
                with self._turns[name]:
                    self.gateways[name].heed(wanted)
            except Exception as error:  # noqa: BLE001 a test looks at it
                self.trouble.append(error)

    def _on_connect(self, client: Client, *_: Any) -> None:  # noqa: ANN401 paho's own
        client.subscribe(gateway_filter(GatewayTopic.MODELS), qos=1)

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:  # noqa: ANN401 paho's own
        self._work.put((parse_gateway(message.topic).gateway, decode_wanted(bytes(message.payload))))

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        wait_until(self._is_subscribed.is_set)
        for thread in self._busy:
            thread.start()
        for gateway in self.gateways.values():
            gateway.say_hello()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._busy:
            self._work.put(None)
        for thread in self._busy:
            thread.join(10)
        self._client.disconnect()
        self._client.loop_stop()
