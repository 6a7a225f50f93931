"""Whether the agent gets on: polling advances and the buffer commits. Pure but for the counters that it looks at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_agent.ports import Clock


@dataclass(frozen=True, slots=True)
class Work:
    """Something that must get on; steps: a number that rises with it, or None while there is nothing to do."""

    name: str
    steps: Callable[[], int | None]
    limit_s: float


class Progress:
    """Remembers when each work was last seen to get on."""

    def __init__(self, works: Sequence[Work], clock: Clock) -> None:
        self._works = tuple(works)
        self._clock = clock
        self._seen: dict[str, tuple[int | None, float]] = {}

    def stuck(self) -> str:
        """Return the name of a work that has stood still for longer than its limit, or an empty string."""
        now_s = self._clock.monotonic_s()
        stuck = [work.name for work in self._works if self._still_s(work, now_s) > work.limit_s]
        return ", ".join(stuck)

    def _still_s(self, work: Work, now_s: float) -> float:
        steps = work.steps()
        before, since_s = self._seen.get(work.name, (None, now_s))
        if steps is None or steps != before:
            since_s = now_s
        self._seen[work.name] = (steps, since_s)
        return now_s - since_s
