"""Chores: what the worker process does again and again, each in a thread of its own, until it is told to stop."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud.errors import CloudError

_log = logging.getLogger(__name__)
_JOIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Chore:
    """One piece of work; every_s: pause after each round; do: returns True where there is more to do at once.

    end: called in the chore's thread when it stops.
    """

    name: str
    every_s: float
    do: Callable[[], bool | None]
    end: Callable[[], None] | None = None


def run_chores(chores: Sequence[Chore], stop: threading.Event) -> None:
    """Run all until `stop` is set, then wait for the rounds that are under way."""
    threads = [threading.Thread(target=_keep_at, args=(chore, stop), name=chore.name, daemon=True) for chore in chores]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(_JOIN_S)


def _keep_at(chore: Chore, stop: threading.Event) -> None:
    """Do one chore for ever: the root of a supervised task, which logs what failed, once until it works again."""
    trouble = ""
    while not stop.is_set():
        has_more = False
        try:
            has_more = bool(chore.do())
            if trouble:
                _log.info("a chore works again", extra={"chore": chore.name})
            trouble = ""
        except Exception as error:  # noqa: BLE001 - the root of this thread: it logs, and tries again
            if str(error) != trouble:
                trouble = str(error)
                known = None if isinstance(error, CloudError) else error
                _log.error("a chore failed: %s", error, extra={"chore": chore.name}, exc_info=known)
        stop.wait(0.0 if has_more else chore.every_s)
    if chore.end is not None:
        chore.end()
