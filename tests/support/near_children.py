"""NearChildren: the same errands done in a thread of this process, for tests that are not about processes."""

import asyncio
from collections.abc import Mapping

from edge_agent.models.child import Children
from edge_agent.models.errand import Answer, Errand, FetchAnswer, FetchErrand, TrialErrand, Tried
from edge_agent.models.fetch import fetch
from edge_agent.models.trial import attempt


class NearChildren(Children):
    """Children that stay at home; what they do is real."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(environment or {})

    async def send(self, module: str, errand: Errand, form: type[Answer]) -> Answer:
        """Return what the child of this errand would say."""
        answer = await asyncio.to_thread(_done, errand)
        assert isinstance(answer, form), module
        return answer


def _done(errand: Errand) -> FetchAnswer | Tried:
    match errand:
        case FetchErrand():
            return fetch(errand)
        case TrialErrand():
            return attempt(errand)
