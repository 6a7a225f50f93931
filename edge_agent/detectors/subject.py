"""Subject: all that detectors are told of the Device that they judge, and what they may use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.own import OwnModels
from edge_agent.ports import Clock
from protocols.scoring.network import Network


@dataclass(frozen=True, slots=True)
class ModelRules:
    """The bounds of models: learn_rows of the first fit; off_after failures in a row; deadline_s of one row."""

    learn_rows: int = 400
    off_after: int = 5
    deadline_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Tools:
    """What a model's detector needs of the world.

    load: bytes of a network to what runs them; own: the gateway's own models on disk; wake: have the work that is due
    done off the loop; record: tell the cloud, by name, Device and detail.
    """

    load: Callable[[bytes], Network]
    clock: Clock
    own: OwnModels
    wake: Callable[[], None]
    record: Callable[[str, str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One Device as it is judged.

    low, high, rate: of the Tags, shape (channels,), infinite or 0 where there is none; durations None: automatic.
    """

    device: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    period_s: float
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rate: NDArray[np.float64]
    tools: Tools
    rules: ModelRules = ModelRules()
    open_after_s: float | None = None
    close_after_s: float | None = None
    frozen_s: float | None = None
