"""SimulatedFleet: gateways that do as they are told and say so, without a wire; some models are bad on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloud.errors import Unavailable
from cloud.fleet.standings import GatewayModels
from protocols.topics import parse_gateway
from protocols.wanted import OWN, ModelStanding, Standing, Wanted, WantedModel, decode_wanted


@dataclass
class SimulatedFleet:
    """bad: what becomes of a model by `name@version`; ran: who ever let it decide; away: names that hear nothing."""

    names: Sequence[str]
    device: str = "pump-1"
    bad: dict[str, ModelStanding] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    ran: dict[str, set[str]] = field(default_factory=dict)
    heard: dict[str, list[Wanted]] = field(default_factory=dict)
    hello_us: dict[str, int] = field(default_factory=dict)
    has_broker: bool = True

    def publish(self, topic: str, payload: bytes) -> None:
        """Take a retained message."""
        if not self.has_broker:
            raise Unavailable("there is no connection to the broker")
        self.heard.setdefault(parse_gateway(topic).gateway, []).append(decode_wanted(payload))

    def standings(self) -> Mapping[str, GatewayModels]:
        """Return what all say now."""
        return {name: self._gateway(name) for name in self.names}

    def served(self, name: str) -> str:
        """Return `name@version` of the model that decides on a gateway, as last told."""
        wanted = self._wanted(name)
        return f"{wanted.name}@{wanted.version}" if wanted is not None else OWN

    def serving(self) -> set[str]:
        """Return all models that decide anywhere."""
        return {self.served(name) for name in self.names}

    def _wanted(self, name: str) -> WantedModel | None:
        told = max([Wanted(0), *self.heard.get(name, ())], key=lambda one: one.revision)
        return next((one for one in told.models if one.device == self.device), None)

    def _gateway(self, name: str) -> GatewayModels:
        return GatewayModels(name, name not in self.away, self.hello_us.get(name, 1), self._said(name))

    def _said(self, name: str) -> tuple[ModelStanding, ...]:
        own = ModelStanding(self.device, OWN, 1, Standing.SERVING, rows=900, over=0.01)
        wanted = None if name in self.away else self._wanted(name)
        if wanted is None:
            return (own,)
        label = f"{wanted.name}@{wanted.version}"
        good = ModelStanding(self.device, wanted.name, wanted.version, Standing.SERVING, rows=900, over=0.01)
        said = self.bad.get(label, good)
        if said.standing is not Standing.REFUSED:
            self.ran.setdefault(label, set()).add(name)
        return (own, said) if said.standing is Standing.REFUSED else (said,)
