"""The line of one Device: quality gate, taps that watch, deadband gate, and on to the sealer."""

from collections.abc import Sequence

from edge_agent.ports import Deliver, Gate
from protocols.reading import ReadingBlock


class GateLine:
    """The Sink port. taps: see every judged reading, those too that the deadband then holds back."""

    def __init__(self, quality: Gate, taps: Sequence[Deliver], deadband: Gate, deliver: Deliver) -> None:
        self._quality = quality
        self._taps = tuple(taps)
        self._deadband = deadband
        self._deliver = deliver

    def accept(self, block: ReadingBlock) -> None:
        """Take a block through the gates; what is left of it goes on."""
        judged = self._quality.pass_on(block)
        for tap in self._taps:
            tap(judged)
        kept = self._deadband.pass_on(judged)
        if len(kept):
            self._deliver(kept)
