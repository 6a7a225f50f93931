"""Device: a machine as the cloud keeps it, and the name by which people know it."""

from collections.abc import Collection
from dataclasses import dataclass, field

from cloud.domain.device_facts import USUAL_CRITICALITY


@dataclass(frozen=True, slots=True)
class Device:
    """A Device of a gateway, or one that sends by itself (source is empty); id is the row's number."""

    id: int
    source: str
    device_id: str
    shown_id: str
    type: str = ""
    name: str = ""
    location: str = ""
    criticality: float = USUAL_CRITICALITY
    metadata: dict[str, object] = field(default_factory=dict)


def shown_id(source: str, device_id: str, *, taken: Collection[str]) -> str:
    """Return the id that people see: the device's own; `source.device` where another source came first with it."""
    candidates = [device_id, f"{source or 'direct'}.{device_id}"]
    free = next((name for name in candidates if name not in taken), None)
    number = 2
    while free is None:
        name = f"{candidates[-1]}.{number}"
        free = name if name not in taken else None
        number += 1
    return free
