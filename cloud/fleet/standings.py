"""Standings: how each gateway said that its Devices are judged, as its last State told; reads what ingest writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cloud.storage.chunks.database import Database
from protocols.wanted import OWN, ModelStanding, Standing

_RECEIPTS = (Standing.REFUSED, Standing.ROLLED_BACK, Standing.OFF)


@dataclass(frozen=True, slots=True)
class GatewayModels:
    """One Gateway's models; hello_us: when it last said hello, by the cloud's clock."""

    gateway: str
    is_online: bool
    hello_us: int
    models: tuple[ModelStanding, ...]

    def devices(self) -> frozenset[str]:
        """Return the Devices that it judges, or is learning to."""
        return frozenset(one.device for one in self.models)

    def of(self, device: str, name: str, version: int, *, rollout: str) -> ModelStanding | None:
        """Return what it says of this version; what became of it in another rollout is no answer to this one."""
        for one in self.models:
            is_it = one.device == device and one.name == name and one.version == version
            if is_it and not (one.standing in _RECEIPTS and one.rollout not in ("", rollout)):
                return one
        return None

    def serving(self, device: str) -> ModelStanding | None:
        """Return the model that decides on this Device."""
        return next((one for one in self.models if one.device == device and one.standing is Standing.SERVING), None)


class Standings:
    """Reads the roster; the database may be open read-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, GatewayModels]:
        """Return every gateway by its name; raise Unavailable."""
        rows = self._database.execute(
            "select name, is_online, coalesce(hello_us, 0), models from gateway order by name"
        )
        return {
            name: GatewayModels(name, bool(is_online), hello_us, read_standings(models))
            for name, is_online, hello_us, models in rows
        }


def read_standings(text: str) -> tuple[ModelStanding, ...]:
    """Return what ingest kept of a State; nothing where an older program wrote it in another form."""
    try:
        return msgspec.json.decode(text, type=tuple[ModelStanding, ...])
    except msgspec.MsgspecError:
        return ()


def running(
    fleet: Iterable[GatewayModels], name: str, version: int | None = None
) -> Sequence[tuple[str, ModelStanding]]:
    """Return which gateways say anything of a model, or of one version of it."""
    return [
        (one.gateway, standing)
        for one in fleet
        for standing in one.models
        if standing.name == name and standing.name != OWN and version in (None, standing.version)
    ]
