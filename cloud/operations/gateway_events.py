"""GatewayEvents: reads what the gateways told, as ingest keeps it, in the order in which it came."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cloud.domain.alarm_words import EventRow
from cloud.storage.chunks.database import Database, Row
from protocols.anomaly import RESET
from protocols.batch import GatewayEvent

_NEXT = f"""
    select e.id, e.gateway, e.epoch, e.at_us, e.name, e.device, e.detail,
        g.epoch <> e.epoch and exists (
            select 1 from gateway_event r
            where r.gateway = e.gateway and r.epoch = g.epoch and r.name = '{RESET}' and r.id < e.id)
    from gateway_event e left join gateway g on g.name = e.gateway
    where e.id > ? order by e.id limit ?"""  # noqa: S608 our own word
_GATEWAYS = """
    select name, is_online, last_seen_us, cloned_us, conflict_us,
        (select coalesce(sum(dropped), 0) from ledger_epoch where gateway = name)
    from gateway"""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event whose content is not what the words of the wire allow."""

    id: int
    gateway: str
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class GatewayFacts:
    """What the cloud itself noticed of a gateway; dropped: readings it gave up for room, in all."""

    name: str
    is_online: bool
    last_seen_us: int
    cloned_us: int | None
    conflict_us: int | None
    dropped: int


class GatewayEvents:
    """One thread's view of the readings' file; the database may be open read-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, position: int, *, limit: int) -> Sequence[EventRow | Unreadable]:
        """Return the next events in order of their numbers; raise Unavailable."""
        return [_event(row) for row in self._database.execute(_NEXT, (position, limit))]

    def newest(self) -> int:
        """Return the highest number, 0 where there is none; raise Unavailable."""
        (number,) = next(self._database.execute("select coalesce(max(id), 0) from gateway_event"))
        return int(number)

    def gateways(self) -> Sequence[GatewayFacts]:
        """Return what is known of each gateway; raise Unavailable."""
        rows = self._database.execute(_GATEWAYS)
        return [
            GatewayFacts(name, bool(is_online), last_seen_us, cloned_us, conflict_us, dropped)
            for name, is_online, last_seen_us, cloned_us, conflict_us, dropped in rows
        ]

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()


def _event(row: Row) -> EventRow | Unreadable:
    number, gateway, epoch, at_us, name, device, detail, is_over = row
    told: dict[str, Any] = {"at_us": at_us, "name": name, "device": device}
    try:
        event = msgspec.convert(told | {"detail": json.loads(detail)}, GatewayEvent)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        return Unreadable(number, gateway, name, str(error))
    return EventRow(number, gateway, epoch, event, bool(is_over))
