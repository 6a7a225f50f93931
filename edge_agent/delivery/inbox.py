"""Inbox: what the cloud says to this gateway, read and queued in order; what cannot be read is counted."""

import logging
from collections import deque
from collections.abc import Callable

from protocols.delivery import Ack, decode
from protocols.errors import InvalidContent

log = logging.getLogger(__name__)
_BOUND = 1_000


class Inbox:
    """Acks that wait to be applied; when there are too many the oldest go, since later ones say more."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._acks: deque[Ack] = deque(maxlen=_BOUND)
        self.malformed = 0

    def receive(self, payload: bytes) -> None:
        """Take a message from the ack topic."""
        try:
            ack = decode(payload, Ack)
        except InvalidContent as error:
            self.malformed += 1
            log.warning("an ack cannot be read: %s", error)
            return
        self._acks.append(ack)
        self._wake()

    def take(self) -> list[Ack]:
        """Take out all acks, in order of arrival."""
        acks = list(self._acks)
        self._acks.clear()
        return acks
