"""Rooms: whom and what a client wants to hear of; everybody begins in the plant's room and in no device's.

What happens in the plant (alarms, states, jobs) goes to its room; who leaves it is told only of devices and gateways
whose rooms they are in. Readings go to rooms of devices and gateways alone, never to the plant's.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud.errors import Invalid
from cloud.live.events import DEVICE_UPDATE, LiveEvent

MOST_ROOMS = 500
MOST_HZ = 10.0
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=MOST_ROOMS)]


class RoomsWanted(BaseModel):
    """What a client sends to enter rooms or to leave them; `sites` are gateways."""

    model_config = ConfigDict(extra="forbid")

    devices: Names = []
    sites: Names = []
    gateways: Names = []
    plant: bool = False
    together: bool | None = None
    rate_hz: Annotated[float, Field(ge=0.1, le=MOST_HZ, allow_inf_nan=False)] = 1.0


def read_rooms(sent: object) -> RoomsWanted:
    """Return what a client sent; raise Invalid that names the field."""
    try:
        return RoomsWanted.model_validate(sent if sent is not None else {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise Invalid(f"{where}: {first['msg']}", code="INVALID_PARAMETERS", details={"field": where}) from error


class Rooms:
    """The rooms that one client is in; rates in readings a second, by device or gateway."""

    def __init__(self) -> None:
        self.plant = True
        self.devices: dict[str, float] = {}
        self.gateways: dict[str, float] = {}
        self.is_together = False
        """Whether readings of several devices come in one message."""
        self.version = 0
        """Rises with each change."""

    def enter(self, wanted: RoomsWanted) -> None:
        """Enter these; raise Invalid where there would be too many."""
        names = {*self.devices, *wanted.devices}, {*self.gateways, *wanted.sites, *wanted.gateways}
        if sum(map(len, names)) > MOST_ROOMS:
            raise Invalid(f"at most {MOST_ROOMS} rooms", code="TOO_MANY_ROOMS", details={"field": "devices"})
        self.version += 1
        self.plant = self.plant or wanted.plant
        self.is_together = self.is_together if wanted.together is None else wanted.together
        self.devices |= dict.fromkeys(wanted.devices, wanted.rate_hz)
        self.gateways |= dict.fromkeys([*wanted.sites, *wanted.gateways], wanted.rate_hz)

    def leave(self, wanted: RoomsWanted) -> None:
        """Leave these."""
        self.version += 1
        self.plant = self.plant and not wanted.plant
        for name in wanted.devices:
            self.devices.pop(name, None)
        for name in [*wanted.sites, *wanted.gateways]:
            self.gateways.pop(name, None)

    def holds(self, event: LiveEvent) -> bool:
        """Return whether an event is for one of these rooms."""
        if event.device in self.devices or event.gateway in self.gateways:
            return True
        is_of_nobody = not event.device and not event.gateway
        return event.name != DEVICE_UPDATE and (self.plant or is_of_nobody)

    def rate_hz(self, device: str, gateway: str) -> float:
        """Return how often readings of a device are wanted, 0 where they are not."""
        return max(self.devices.get(device, 0.0), self.gateways.get(gateway, 0.0) if gateway else 0.0)

    def shown(self) -> dict[str, object]:
        """Return the rooms as a client is told of them."""
        return {"plant": self.plant, "devices": sorted(self.devices), "sites": sorted(self.gateways)}
