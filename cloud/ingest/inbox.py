"""Inbox: what waits for the writer's thread; bounded, and who offers is told when it is full.

Messages and direct readings have bounds of their own: neither way can shut the other out. Messages of QoS 1 are bounded
by the broker too (receive maximum), so that only those without any promise ever find it full.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from cloud.ingest.parcels import ArchiveParcel, BatchParcel, DirectParcel, Outcome, Parcel

MAX_MESSAGES = 1024
MAX_DIRECT = 256
_GROUP_ITEMS = 256
_GROUP_WEIGHT = 192 * 1024
_LEAST_WEIGHT = 512
_LEAST_FRAME_WEIGHT = 6 * 1024
_WEIGHT_A_MARK = 256


@dataclass(frozen=True, slots=True)
class Item:
    """A parcel on its way; done: called once with its outcome, in the writer's thread, after the commit.

    since_s: when it came, by a clock that never goes back.
    """

    parcel: Parcel
    done: Callable[[Outcome], None]
    since_s: float = 0.0

    @property
    def weight(self) -> int:
        """Return about how much work it is; a frame of few bytes may hold thousands of readings that hardly change."""
        match self.parcel:
            case DirectParcel():
                return 16 * len(self.parcel.arrival.block) + _LEAST_WEIGHT
            case ArchiveParcel():
                return _WEIGHT_A_MARK * len(self.parcel.marks) + _LEAST_WEIGHT
            case BatchParcel():
                return max(len(self.parcel.payload), _LEAST_FRAME_WEIGHT)
            case _:
                return len(self.parcel.payload) + _LEAST_WEIGHT


class Inbox:
    """Two bounded queues with one consumer."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._messages: deque[Item] = deque()
        self._direct: deque[Item] = deque()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._messages) + len(self._direct)

    @property
    def is_closed(self) -> bool:
        """Return whether nothing more is taken in."""
        return self._is_closed

    def offer(self, parcel: Parcel, done: Callable[[Outcome], None]) -> bool:
        """Put a parcel into its queue; return False, and do nothing, where that is full or closed. Any thread."""
        is_direct = isinstance(parcel, DirectParcel)
        queue, bound = (self._direct, MAX_DIRECT) if is_direct else (self._messages, MAX_MESSAGES)
        with self._changed:
            if self._is_closed or len(queue) >= bound:
                return False
            queue.append(Item(parcel, done, time.monotonic()))
            self._changed.notify()
        return True

    def take(self, *, timeout_s: float) -> list[Item]:
        """Return the next group, bounded in number and work; empty after so long without one, or once closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._is_closed, timeout_s)
            group: list[Item] = []
            weight = 0
            while len(self) and len(group) < _GROUP_ITEMS and weight < _GROUP_WEIGHT:
                item = (self._direct or self._messages).popleft()
                group.append(item)
                weight += item.weight
        return group

    def take_direct(self) -> list[Item]:
        """Return all direct readings that wait."""
        with self._changed:
            waiting = list(self._direct)
            self._direct.clear()
        return waiting

    def close(self) -> None:
        """Take nothing more in; what is there can still be taken out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wait_closed(self, timeout_s: float) -> bool:
        """Wait for so long, or until it is closed; return whether it is."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while not self._is_closed and time.monotonic() < until:
                self._changed.wait(until - time.monotonic())
            return self._is_closed
