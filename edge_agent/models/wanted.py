"""WantedInbox: what the cloud wants of this gateway's models, as it arrives; the newest word holds."""

import logging
from collections.abc import Callable

from protocols.errors import InvalidContent
from protocols.wanted import Wanted, decode_wanted

log = logging.getLogger(__name__)

Record = Callable[[str, str, dict[str, str | int | float | bool]], None]
"""Takes the name, the Device (empty: the gateway) and the detail of an event."""


class WantedInbox:
    """Takes messages on the loop; `wake` is called where there is something to do, also when the same comes again.

    The same revision comes with each new connection: then the network is back, and what failed may be tried at once.
    """

    def __init__(self, *, record: Record, wake: Callable[[], None]) -> None:
        self._record = record
        self._wake = wake
        self._newest: Wanted | None = None
        self._is_readable = True
        self.malformed = 0
        self.stale = 0

    @property
    def newest(self) -> Wanted | None:
        """Return what is wanted, None before the first word."""
        return self._newest

    def remember(self, wanted: Wanted) -> None:
        """Take over what an earlier run had heard, unless something newer came already."""
        if self._newest is None or self._newest.revision < wanted.revision:
            self._newest = wanted

    def receive(self, payload: bytes) -> None:
        """Take a message from the models topic; an empty one is a retained message that was taken away."""
        if not payload:
            return
        try:
            wanted = decode_wanted(payload)
        except InvalidContent as error:
            self._complain(error)
            return
        self._is_readable = True
        if self._newest is not None and wanted.revision < self._newest.revision:
            self.stale += 1
            log.info("wanted models of revision %d are older than %d", wanted.revision, self._newest.revision)
            return
        self._newest = wanted
        self._wake()

    def _complain(self, error: InvalidContent) -> None:
        self.malformed += 1
        log.warning("wanted models cannot be read: %s", error)
        if self._is_readable:
            self._is_readable = False
            self._record("wanted_models_unreadable", "", {"reason": str(error)[:200]})
