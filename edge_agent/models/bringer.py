"""Bringer: sends the children that fetch and try packages, a few packages at a time, and waits longer each time.

A cloud that does not answer is no refusal: the gateway asks again after 2 s, then 4, up to 5 minutes, each time with
jitter; a refusal that the repository or this machine may mend is looked at again, up to a quarter of an hour later.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.drivers.backoff import Backoff
from edge_agent.models.child import Children, ErrandFailed
from edge_agent.models.errand import FetchAnswer, Fetched, FetchErrand, Reason, TrialErrand, Tried
from edge_agent.models.wanted import Record
from edge_agent.ports import Clock
from protocols.wanted import WantedModel

MOST_AT_ONCE = 32
FETCH_S = 600.0
TRIAL_S = 20.0
CLOCK_LOOK_S = 5.0
CLOCK_UNSET = "clock_unset"
SPREAD_S = 1.0
"""Gateways that hear the same word at the same moment do not all ask at the same moment."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where packages come from and what they must hold up to; fetch_s, trial_s: the longest that a child may take."""

    directory: Path
    url: str
    root: Path
    key: str
    deadline_ms: float
    fetch_s: float = FETCH_S
    trial_s: float = TRIAL_S


@dataclass(frozen=True, slots=True)
class Brought:
    """How a wanted package came: its file and sha256, or why not."""

    wanted: WantedModel
    file: str = ""
    sha256: str = ""
    reason: Reason | None = None
    detail: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


class Bringer:
    """Channels: what each Device is judged by. Remembers when what is to be asked for again; random: 0 <= x < 1."""

    def __init__(
        self,
        *,
        source: Source,
        children: Children,
        clock: Clock,
        clock_is_set: Callable[[], bool],
        random: Callable[[], float],
        record: Record,
    ) -> None:
        self._source = source
        self._children = children
        self._clock = clock
        self._clock_is_set = clock_is_set
        self._random = random
        self._record = record
        self._reach = Backoff(2.0, 300.0, random)
        self._waits: dict[str, Backoff] = {}
        self._not_before_s: dict[str, float] = {}
        self._rest_until_s = 0.0
        self.trouble = ""
        self.errands = 0

    def hurry(self) -> None:
        """Ask again soon, because there is news or the network is back."""
        self._reach.reset()
        self._waits.clear()
        self._not_before_s.clear()
        self._rest_until_s = self._clock.monotonic_s() + SPREAD_S * self._random()

    def is_due(self, wanted: WantedModel) -> bool:
        """Return whether this may be asked for now."""
        return self._clock.monotonic_s() >= max(self._rest_until_s, self._not_before_s.get(wanted.device, 0.0))

    async def bring(
        self, wanted: Sequence[WantedModel], channels: Mapping[str, tuple[str, ...]]
    ) -> AsyncIterator[Brought]:
        """Yield how these packages came; those of an unreachable cloud are left out: they are asked for again."""
        if not wanted:
            return
        if not self._clock_is_set():
            self.trouble = CLOCK_UNSET
            self._rest_until_s = self._clock.monotonic_s() + CLOCK_LOOK_S
            return
        paths = sorted({one.path for one in wanted})[:MOST_AT_ONCE]
        fetched = await self._fetch(paths)
        tried: dict[tuple[str, tuple[str, ...]], Tried] = {}
        for one in wanted:
            found = fetched.get(one.path)
            if found is not None and found.reason is not Reason.UNREACHABLE:
                brought = await self._judged(one, found, channels[one.device], tried)
                self._plan(brought)
                yield brought
        await asyncio.to_thread(self._tidy)

    async def _fetch(self, paths: Sequence[str]) -> dict[str, Fetched]:
        source = self._source
        errand = FetchErrand(
            directory=str(source.directory),
            url=source.url,
            root=str(source.root),
            key=source.key,
            paths=tuple(paths),
            limit_s=source.fetch_s,
        )
        self.errands += 1
        try:
            answer = await self._children.send("edge_agent.models.fetch", errand, FetchAnswer)
        except ErrandFailed as error:
            answer = FetchAnswer(tuple(Fetched(path, reason=Reason.UNREACHABLE, detail=error.detail) for path in paths))
        self._note_reach(answer)
        return {one.path: one for one in answer.found}

    def _note_reach(self, answer: FetchAnswer) -> None:
        lost = next((one for one in answer.found if one.reason is Reason.UNREACHABLE), None)
        if lost is not None:
            self._rest_until_s = self._clock.monotonic_s() + self._reach.next_s()
            if self.trouble != Reason.UNREACHABLE:
                self._record("models_unreachable", "", {"reason": lost.detail[:200]})
            self.trouble = Reason.UNREACHABLE.value
            return
        self._reach.reset()
        if self.trouble == Reason.UNREACHABLE:
            self._record("models_reachable", "", {})
        self.trouble = ""

    async def _judged(
        self,
        wanted: WantedModel,
        fetched: Fetched,
        channels: tuple[str, ...],
        tried: dict[tuple[str, tuple[str, ...]], Tried],
    ) -> Brought:
        """Return how a package held up; the same file for Devices with the same channels is tried once."""
        if fetched.reason is not None:
            return Brought(wanted, reason=fetched.reason, detail=fetched.detail)
        key = (f"{fetched.sha256} {wanted.name}@{wanted.version}", channels)
        if key not in tried:
            tried[key] = await self._try(wanted, fetched.file, channels)
        outcome = tried[key]
        figures = {"row_us": outcome.row_us, "batched_us": outcome.batched_us, "worst": outcome.worst}
        return Brought(wanted, fetched.file, fetched.sha256, outcome.reason, outcome.detail, figures)

    async def _try(self, wanted: WantedModel, file: str, channels: tuple[str, ...]) -> Tried:
        errand = TrialErrand(
            file=file,
            name=wanted.name,
            version=wanted.version,
            channels=channels,
            deadline_ms=self._source.deadline_ms,
            limit_s=self._source.trial_s,
        )
        try:
            return await self._children.send("edge_agent.models.trial", errand, Tried)
        except ErrandFailed as error:
            return Tried(error.reason, error.detail)

    def _plan(self, brought: Brought) -> None:
        device = brought.wanted.device
        if brought.reason is None or not brought.reason.may_pass:
            self._waits.pop(device, None)
            self._not_before_s.pop(device, None)
            return
        wait = self._waits.setdefault(device, Backoff(5.0, 900.0, self._random))
        self._not_before_s[device] = self._clock.monotonic_s() + wait.next_s()

    def _tidy(self) -> None:
        """Let go of what was fetched: it is on the shelf of its Device, or refused."""
        with suppress(OSError):
            for file in (self._source.directory / "incoming").iterdir():
                file.unlink()
