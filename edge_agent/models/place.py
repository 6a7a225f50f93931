"""Place: the models of one Device in action: its slot on the shelf, its Judge, and the steps between them.

`next_step` decides; this does. A model serves only once the shelf says so; a step back never waits for a disk.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_agent.models.bringer import Brought
from edge_agent.models.errand import Reason
from edge_agent.models.shelf import Shelf, ShelfUnusable
from edge_agent.models.slot import Kept, Seen, Slot, Step, next_step
from edge_agent.models.wanted import Record
from edge_agent.ports import Candidate, Judge
from protocols.errors import NetworkFailed
from protocols.scoring.network import Network
from protocols.wanted import OWN, ModelStanding, Standing, WantedModel

log = logging.getLogger(__name__)
_MOST_STEPS = 4
_MOST_BACK = 3


@dataclass(frozen=True, slots=True)
class Means:
    """What every Place works with; load: bytes of a network to what runs them; deadline_us: what a row may take."""

    shelf: Shelf
    load: Callable[[bytes], Network]
    record: Record
    deadline_us: float


class Place:
    """One Device; steps of it are done one after the other."""

    def __init__(self, judge: Judge, means: Means) -> None:
        self.device = judge.device
        self.slot = Slot()
        self._judge = judge
        self._means = means
        self._stepping = asyncio.Lock()
        self._is_saved = True

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the Tags that the Device is judged by."""
        return self._judge.channels

    @property
    def is_idle(self) -> bool:
        """Return whether the gateway's own model is all there is."""
        return self.slot == Slot() and self._is_saved

    async def restore(self) -> None:
        """Serve what the shelf says, as before the stop: first what is before the current model, so that it can fall.

        A package that is gone or cannot be loaded is told of and given up.
        """
        try:
            self.slot = await asyncio.to_thread(self._means.shelf.slot, self.device)
        except ShelfUnusable as error:
            self._tell("model_lost", None, reason=str(error))
            return
        previous = await self._serve_again(self.slot.previous)
        current = await self._serve_again(self.slot.current)
        challenger = await self._challenge_again(self.slot.challenger)
        kept = msgspec.structs.replace(self.slot, current=current or previous, challenger=challenger)
        kept = msgspec.structs.replace(kept, previous=previous if current is not None else None)
        if kept != self.slot:
            await self._keep(kept)

    async def advance(self, wanted: WantedModel | None) -> bool:
        """Do all that can be done without the network; return whether the wanted package must be brought."""
        async with self._stepping:
            for _ in range(_MOST_STEPS):
                step = next_step(self.slot, wanted, self._seen())
                if step in (Step.REST, Step.BRING):
                    break
                if not await self._do(step, wanted):
                    return False
            if not self._is_saved:
                await self._keep(self.slot)
            return step is Step.BRING

    async def take(self, brought: Brought) -> None:
        """Let what was brought challenge, or note why it is not taken."""
        async with self._stepping:
            wanted = brought.wanted
            if brought.reason is not None:
                await self._refuse(wanted, brought.reason, brought.detail)
                return
            try:
                kept = await asyncio.to_thread(self._store, brought)
                candidate = await asyncio.to_thread(self._candidate, kept)
            except ShelfUnusable as error:
                await self._refuse(wanted, Reason.DISK, str(error))
            except NetworkFailed as error:
                await self._refuse(wanted, Reason.NOT_LOADABLE, str(error))
            else:
                await self._keep(self.slot.challenged(kept))
                self._judge.challenge(candidate)
                self._tell("model_shadowing", kept, phase=wanted.phase.value, **brought.figures)

    async def go_back_by_hand(self, wanted: WantedModel | None) -> str:
        """Go back to the model before; return in words how it stands then, empty where there is nothing to go from."""
        async with self._stepping:
            before = self.slot.current
            if before is None:
                return ""
            await self._go_back(wanted, Reason.OPERATOR_ASKED)
            return f"{self.device} went back from {_label(before)} to {_label(self.slot.current)}"

    def standings(self, wanted: WantedModel | None, *, is_awaited: bool, trouble: str) -> Iterator[ModelStanding]:
        """Yield how the Device is judged and how what is wanted came out; is_awaited: it is being brought."""
        known = {(one.name, one.version): one for one in (self.slot.current, self.slot.challenger) if one is not None}
        for standing in self._judge.standings():
            kept = known.get((standing.name, standing.version))
            if kept is None:
                yield standing
                continue
            is_wish = wanted is not None and kept.is_what(wanted)
            rollout = wanted.rollout if wanted is not None and is_wish else kept.rollout
            yield msgspec.structs.replace(standing, rollout=rollout)
        if wanted is None:
            return
        if self.slot.fallen is not None and self.slot.fallen.is_what(wanted):
            yield self.slot.fallen.shown(self.device)
        elif is_awaited:
            yield ModelStanding(self.device, wanted.name, wanted.version, Standing.FETCHING, wanted.rollout, trouble)

    def _seen(self) -> Seen:
        serving, challenger = ("", 0), None
        rows, is_late = 0, False
        for one in self._judge.standings():
            if one.standing is Standing.SERVING:
                serving = (one.name, one.version)
            elif one.standing is Standing.SHADOWING:
                challenger, rows = (one.name, one.version), one.rows
                is_late = one.invoke_us is not None and one.invoke_us > self._means.deadline_us
        return Seen(serving, challenger, rows, is_late)

    async def _do(self, step: Step, wanted: WantedModel | None) -> bool:
        """Do one step; return False where it must be tried again later."""
        match step:
            case Step.SWAP:
                return await self._swap()
            case Step.GO_BACK:
                await self._go_back(None, Reason.NOT_WANTED)
            case Step.LEAVE:
                await self._leave()
            case Step.DISMISS:
                await self._dismiss()
            case Step.FALLEN:
                await self._note_fall(wanted)
            case Step.FAILED:
                await self._lose_challenger(wanted, Reason.FAILED_IN_SHADOW)
            case Step.TOO_SLOW:
                await self._lose_challenger(wanted, Reason.TOO_SLOW)
            case Step.REST | Step.BRING:
                return True
        return True

    async def _swap(self) -> bool:
        before = self.slot
        if not await self._keep(before.swapped()):
            self.slot = before
            return False
        self._judge.swap()
        self._tell("model_serving", self.slot.current, before=_label(before.current))
        return True

    async def _go_back(self, wanted: WantedModel | None, reason: Reason) -> None:
        left = self.slot.current
        self._judge.roll_back(reason.value)
        await self._keep(self.slot.went_back(wanted, reason))
        self._tell("model_rolled_back", left, reason=reason.value, now=_label(self.slot.current))

    async def _leave(self) -> None:
        left = self.slot.current
        for _ in range(_MOST_BACK):
            if self._seen().serving[0] in ("", OWN):
                break
            self._judge.roll_back(Reason.NOT_WANTED.value)
        await self._keep(Slot())
        self._tell("model_rolled_back", left, reason=Reason.NOT_WANTED.value, now=_label(None))

    async def _dismiss(self) -> None:
        gone = self.slot.challenger
        self._judge.dismiss()
        await self._keep(self.slot.dismissed())
        self._tell("model_dismissed", gone)

    async def _note_fall(self, wanted: WantedModel | None) -> None:
        left = self.slot.current
        words = next((one.reason for one in self._judge.standings() if one.reason), "")
        await self._keep(self.slot.went_back(wanted, Reason.FAILED))
        self._tell("model_rolled_back", left, reason=Reason.FAILED.value, detail=words, now=_label(self.slot.current))

    async def _lose_challenger(self, wanted: WantedModel | None, reason: Reason) -> None:
        gone = self.slot.challenger
        self._judge.dismiss()
        if wanted is None or gone is None or not gone.is_what(wanted):
            await self._keep(self.slot.dismissed())
        else:
            await self._refuse(wanted, reason, "")

    async def _refuse(self, wanted: WantedModel, reason: Reason, detail: str) -> None:
        """Keep the refusal, and tell of it unless the same was told already."""
        refused = self.slot.refused(wanted, reason, detail)
        is_news = self.slot.fallen != refused.fallen
        if not is_news:
            return
        was_told = (
            self.slot.fallen is not None and self.slot.fallen.is_what(wanted) and self.slot.fallen.reason is reason
        )
        await self._keep(refused)
        if not was_told:
            told = Kept(wanted.name, wanted.version, "", 0, wanted.rollout)
            self._tell("model_refused", told, reason=reason.value, detail=detail)

    def _store(self, brought: Brought) -> Kept:
        """Put the fetched file on the shelf; raise ShelfUnusable where it is not the one that was tried."""
        try:
            data = Path(brought.file).read_bytes()
        except OSError as error:
            raise ShelfUnusable(f"{brought.file} cannot be read: {error.strerror}") from error
        sha256 = self._means.shelf.put(self.device, data)
        if sha256 != brought.sha256:
            raise ShelfUnusable(f"{brought.file} changed after its trial")
        wanted = brought.wanted
        return Kept(wanted.name, wanted.version, sha256, len(data), wanted.rollout)

    def _candidate(self, kept: Kept) -> Candidate:
        """Return a package of the shelf, loaded; raise ShelfUnusable or NetworkFailed."""
        package = self._means.shelf.package(self.device, kept)
        missing = set(package.card.scoring.channels) - set(self.channels)
        if missing:
            raise NetworkFailed(f"{self.device} is not judged by {min(missing)} any more")
        return Candidate(
            name=kept.name,
            version=kept.version,
            scoring=package.card.scoring,
            network=self._means.load(package.network),
            size_bytes=package.card.network_bytes,
            is_fleet=package.card.is_fleet,
            rollout=kept.rollout,
        )

    async def _challenge_again(self, kept: Kept | None) -> Kept | None:
        if kept is None:
            return None
        try:
            candidate = await asyncio.to_thread(self._candidate, kept)
        except (ShelfUnusable, NetworkFailed) as error:
            self._tell("model_lost", kept, reason=str(error))
            return None
        self._judge.challenge(candidate)
        return kept

    async def _serve_again(self, kept: Kept | None) -> Kept | None:
        if await self._challenge_again(kept) is None:
            return None
        self._judge.swap()
        return kept

    async def _keep(self, slot: Slot) -> bool:
        """Take over a slot; return whether it is on the shelf, else it is put there later."""
        self.slot = slot
        try:
            await asyncio.to_thread(self._means.shelf.keep_slot, self.device, slot)
        except ShelfUnusable as error:
            if self._is_saved:
                log.error("the models of %s are not on disk: %s", self.device, error)  # noqa: TRY400 - says it all
                self._tell("models_not_on_disk", None, reason=str(error))
            self._is_saved = False
        else:
            self._is_saved = True
        return self._is_saved

    def _tell(self, name: str, kept: Kept | None, **detail: str | float) -> None:
        about: dict[str, str | int | float | bool] = {}
        if kept is not None:
            about = {"name": kept.name, "version": kept.version, "rollout": kept.rollout}
        cut = {key: value[:300] if isinstance(value, str) else value for key, value in detail.items()}
        log.info("%s: %s %s", self.device, name, _label(kept) if kept else "", extra={"device_id": self.device})
        self._means.record(name, self.device, about | cut)


def _label(kept: Kept | None) -> str:
    return OWN if kept is None else f"{kept.name}@{kept.version}"
