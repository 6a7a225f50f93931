"""Keeper: takes each Device from the model it has to the one that is wanted, and serves without a network.

What is on the shelf serves at once after a start; only a package that is not there needs the cloud. What is wanted,
the shelf, a Judge that took a model out, a request by hand: each is looked at anew, once a second and at any news.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence

from edge_agent.models.bringer import Bringer, Brought
from edge_agent.models.errand import Reason
from edge_agent.models.place import Means, Place
from edge_agent.models.request import Answer, RequestBox
from edge_agent.models.shelf import ShelfUnusable
from edge_agent.models.wanted import WantedInbox
from edge_agent.ports import Judge
from protocols.wanted import ModelStanding, Standing, Wanted, WantedModel

log = logging.getLogger(__name__)
LOOK_S = 1.0


class Keeper:
    """All Devices that are judged; `standings` may be asked at any time."""

    def __init__(self, *, judges: Sequence[Judge], means: Means, bringer: Bringer) -> None:
        self._places = {judge.device: Place(judge, means) for judge in judges}
        self._shelf = means.shelf
        self._record = means.record
        self._bringer = bringer
        self._requests = RequestBox(means.shelf.directory)
        self._news = asyncio.Event()
        self._lacking = asyncio.Event()
        self._awaited: dict[str, WantedModel] = {}
        self._wishes: Mapping[str, WantedModel] = {}
        self._heeded: Wanted | None = None
        self._saved: Wanted | None = None
        self._strange: frozenset[str] = frozenset()
        self._is_restored = False
        self.inbox = WantedInbox(record=means.record, wake=self._hear)

    async def run(self) -> None:
        """Serve what is on the shelf at once; then, for ever and at any news, do what needs no network."""
        if not self._is_restored:
            await self._restore()
        while True:
            self._news.clear()
            await self.look()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def bring(self) -> None:
        """Bring for ever what is lacking, beside `run`; what is not wanted any more once it came is left."""
        while True:
            await self._lacking.wait()
            self._lacking.clear()
            due = self._due()
            channels = {one.device: self._places[one.device].channels for one in due}
            async for brought in self._bringer.bring(due, channels):
                await self._take(brought)

    async def look(self) -> None:
        """Do once all that is to be done without the network."""
        await self._take_over()
        await self._answer_request()
        if self.inbox.newest is not None:
            await self._advance()

    def standings(self) -> Sequence[ModelStanding]:
        """Return how every Device is judged, and how what is wanted came out."""
        return tuple(self._standings())

    def _standings(self) -> Iterator[ModelStanding]:
        for device, place in self._places.items():
            wanted = self._wishes.get(device)
            yield from place.standings(wanted, is_awaited=device in self._awaited, trouble=self._bringer.trouble)
        for device, wanted in self._wishes.items():
            if device not in self._places:
                reason = Reason.NO_SUCH_DEVICE.value
                yield ModelStanding(device, wanted.name, wanted.version, Standing.REFUSED, wanted.rollout, reason)

    def _hear(self) -> None:
        self._bringer.hurry()
        self._news.set()

    async def _restore(self) -> None:
        try:
            wanted = await asyncio.to_thread(self._shelf.wanted)
        except ShelfUnusable as error:
            log.error("what was wanted is forgotten: %s", error)  # noqa: TRY400 - the sentence says it all
        else:
            if wanted is not None:
                self.inbox.remember(wanted)
                self._saved = wanted
        for device in await asyncio.to_thread(self._shelf.devices):
            if device in self._places:
                await self._places[device].restore()
        self._is_restored = True

    async def _take_over(self) -> None:
        """Take what is wanted as it is now, and keep it over restarts."""
        newest = self.inbox.newest
        if newest is None or newest is self._heeded:
            return
        self._heeded = newest
        self._wishes = {one.device: one for one in newest.models}
        self._tell_strange(frozenset(self._wishes.keys() - self._places.keys()))
        if newest == self._saved:
            return
        try:
            await asyncio.to_thread(self._shelf.keep_wanted, newest)
        except ShelfUnusable as error:
            log.error("what is wanted is not on disk: %s", error)  # noqa: TRY400 - the sentence says it all
        else:
            self._saved = newest

    def _tell_strange(self, strange: frozenset[str]) -> None:
        """Tell once of each Device that the cloud wants a model for and that is not judged here."""
        for device in sorted(strange - self._strange):
            self._record("model_refused", device, _about(self._wishes[device], Reason.NO_SUCH_DEVICE))
        self._strange = strange

    async def _advance(self) -> None:
        for device, place in self._places.items():
            wanted = self._wishes.get(device)
            if wanted is None and place.is_idle:
                self._awaited.pop(device, None)
            elif await place.advance(wanted) and wanted is not None:
                self._awaited[device] = wanted
            else:
                self._awaited.pop(device, None)
        if self._due():
            self._lacking.set()

    def _due(self) -> list[WantedModel]:
        return [wanted for wanted in self._awaited.values() if self._bringer.is_due(wanted)]

    async def _take(self, brought: Brought) -> None:
        device = brought.wanted.device
        if self._awaited.get(device) == brought.wanted:
            await self._places[device].take(brought)
            self._awaited.pop(device, None)
            self._news.set()

    async def _answer_request(self) -> None:
        request = self._requests.take()
        if request is None:
            return
        place = self._places.get(request.device)
        if place is None:
            answer = Answer(request.id, is_done=False, words=f"{request.device} is not judged on this gateway")
        else:
            words = await place.go_back_by_hand(self._wishes.get(request.device))
            is_done = bool(words)
            answer = Answer(request.id, is_done, words or f"{request.device} is on the gateway's own model already")
        try:
            self._requests.answer(answer)
        except OSError as error:
            log.warning("a request cannot be answered: %s", error)


def _about(wanted: WantedModel, reason: Reason) -> dict[str, str | int | float | bool]:
    return {"name": wanted.name, "version": wanted.version, "rollout": wanted.rollout, "reason": reason.value}
