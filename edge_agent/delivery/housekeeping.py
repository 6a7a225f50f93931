"""Keeps the buffer in order while there is nothing else to do: purging, giving pages back, laying the ballast."""

import logging

from edge_agent.errors import BufferUnusable
from edge_agent.ports import AsyncBuffer, Clock

log = logging.getLogger(__name__)
_BETWEEN_PIECES_S = 0.5
_BETWEEN_ROUNDS_S = 30.0


async def keep_house(buffer: AsyncBuffer, clock: Clock) -> None:
    """Do short pieces of housekeeping for ever, with time for readings between them."""
    while True:
        try:
            has_more = await buffer.maintain()
        except BufferUnusable as error:
            log.info("no housekeeping now: %s", error)
            has_more = False
        await clock.sleep(_BETWEEN_PIECES_S if has_more else _BETWEEN_ROUNDS_S)
