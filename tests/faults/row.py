"""Row: one line of the fault matrix: an episode that is played some times on a stage, and what the stage must be."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.programs import Needs
from tests.faults.stage import Stage

Episode = Callable[[Stage, random.Random], None]
"""Lets one fault happen and end. Everything that is drawn comes from the generator, so that a seed repeats it."""


@dataclass(frozen=True, slots=True)
class Row:
    """times: how often the episode is played, with a recovery after each; mixes: on any stage, with any other row.

    full_times: the same in the long run.
    """

    episode: Episode
    needs: Needs = field(default_factory=Needs)
    times: int = 3
    mixes: bool = False
    full_times: int | None = None
