"""Source: what live feeds read, in threads beside the event loop."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from cloud.domain.notice import Notice
from cloud.records.database import Records
from cloud.records.notices import newest_notice, oldest_notice, read_notices
from cloud.services import Views
from cloud.threads import Threads

Answer = TypeVar("Answer")


class Source:
    """The notices as the event loop asks for them."""

    def __init__(self, records: Records, threads: Threads[Views]) -> None:
        self._records = records
        self._threads = threads

    async def newest(self) -> int:
        """Return the highest number there is; raise Unavailable."""
        return await self._ask(newest_notice)

    async def oldest(self) -> int | None:
        """Return the lowest number that is still kept; raise Unavailable."""
        return await self._ask(oldest_notice)

    async def notices(self, after: int, limit: int) -> Sequence[Notice]:
        """Return the first ones after a number; raise Unavailable."""
        return await self._ask(lambda session: read_notices(session, after=after, limit=limit))

    async def _ask(self, read: Callable[[Session], Answer]) -> Answer:
        def asked(_: Views) -> Answer:
            with self._records.reading() as session:
                return read(session)

        return await self._threads.run(asked)
