"""Trouble: starts and ends misbehaviour, by the plant file's timetable or on request."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_sim.clock import Clock
from firmware_sim.errors import CannotListen, Refused
from firmware_sim.mischief import ON_OPCUA, Mischief, MischiefKind, Mischiefs
from firmware_sim.ports import PlantServer

LOG = logging.getLogger("lineside.sim")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a machine is served."""

    server: PlantServer
    is_opcua: bool


class Trouble:
    """Does what a Mischief says to machines and their servers; a restart lasts as long as the mischief."""

    def __init__(self, mischiefs: Mischiefs, places: Mapping[str, Place], clock: Clock) -> None:
        self._mischiefs = mischiefs
        self._places = places
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: set[Mischief] = set()

    async def start(
        self, kind: MischiefKind, machine: str | None, *, for_s: float = 0.0, value: float = 0.0
    ) -> list[int]:
        """Begin with one machine, or with all that can; return the numbers to stop it by. 0 s: until it is stopped.

        Raise Refused where the machine is unknown or cannot do it. A restart without a time comes back at once.
        """
        mischiefs = [self._mischiefs.start(kind, name, value) for name in self.able(kind, machine)]
        for place in self._servers(mischiefs):
            await self._hit(kind, place)
        if for_s > 0 or kind.is_of_the_server:
            task = asyncio.create_task(self._end_after(mischiefs, for_s), name=f"mischief {kind}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return [mischief.id for mischief in mischiefs]

    async def stop(self, number: int | None) -> int:
        """End one mischief, or all; return how many went on."""
        chosen = [each for each in self._mischiefs.active if number in (None, each.id) and each not in self._ending]
        await self._end(chosen)
        return len(chosen)

    def close(self) -> None:
        """Forget what was still to end."""
        for task in tuple(self._tasks):
            task.cancel()

    def able(self, kind: MischiefKind, machine: str | None) -> list[str]:
        """Return who of the named machine, or of all, can do this; raise Refused where nobody can."""
        if machine is not None and machine not in self._places:
            raise Refused(f"no machine {machine!r}; allowed: {', '.join(self._places)}")
        able = [name for name, place in self._places.items() if machine in (None, name) and _can(kind, place)]
        if not able:
            raise Refused(f"{kind}: {f'{machine} cannot' if machine else 'no machine here can'} do that")
        return able

    def _servers(self, mischiefs: list[Mischief]) -> list[Place]:
        return list({id(place.server): place for place in (self._places[each.machine] for each in mischiefs)}.values())

    async def _hit(self, kind: MischiefKind, place: Place) -> None:
        if kind is MischiefKind.RESET:
            await place.server.reset()
        elif kind.is_of_the_server:
            await place.server.stop()
        if kind is MischiefKind.CERTIFICATE:
            place.server.renew_certificate()

    async def _end_after(self, mischiefs: list[Mischief], seconds: float) -> None:
        await self._clock.sleep(seconds)
        try:
            await self._end(mischiefs)
        except CannotListen:
            LOG.exception("a server did not come back")

    async def _end(self, mischiefs: list[Mischief]) -> None:
        active = set(self._mischiefs.active) - self._ending
        ending = [mischief for mischief in mischiefs if mischief in active]
        self._ending.update(ending)
        down = [each for each in active.difference(ending) if each.kind.is_of_the_server]
        kept = [place.server for place in self._servers(down)]
        for place in self._servers([each for each in ending if each.kind.is_of_the_server]):
            if place.server not in kept:
                await place.server.start()
        for mischief in ending:
            self._mischiefs.stop(mischief.id)
        self._ending.difference_update(ending)


def _can(kind: MischiefKind, place: Place) -> bool:
    if kind is MischiefKind.CERTIFICATE:
        return place.is_opcua and place.server.security is not None
    return kind in ON_OPCUA or not place.is_opcua
