"""The child that tries a package: `python -m edge_agent.models.trial`; what crashes or never ends only ends it.

In order: is it whole and what it is called, does it fit the Device, is the network of a form that cannot loop, does
it load, does it score its own rows as it should, and in time.
"""

import math
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from edge_agent.models.errand import Reason, TrialErrand, Tried, run_errand
from protocols.errors import Oversized, ProtocolError, Truncated
from protocols.package import MAX_PACKAGE_BYTES, Package, unpack_package
from protocols.scoring.context import memory_of
from protocols.scoring.model import Scoring
from protocols.scoring.scorer import Scorer
from protocols.scoring.tflite_reader import read_tflite

MEMORY_BYTES = 1024 * 2**20
MAX_SPAN_ROWS = 10_000
OPERATORS = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    21: "RELU6",
    22: "RESHAPE",
    28: "TANH",
    34: "PAD",
    39: "TRANSPOSE",
    40: "MEAN",
    41: "SUB",
    43: "SQUEEZE",
    65: "SLICE",
    67: "TRANSPOSE_CONV",
    70: "EXPAND_DIMS",
    97: "RESIZE_NEAREST_NEIGHBOR",
    114: "QUANTIZE",
}
"""All that dense and convolutional networks are made of; none decides what runs next, so none can loop."""
MEASURE_S = 0.05
BATCH_ROWS = 256
MOST_TURNS = 500
RUNTIMES = ("ai_edge_litert", "tflite_runtime")


class Refused(Exception):
    """A package that a gateway does not take; detail: for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def attempt(errand: TrialErrand) -> Tried:
    """Return how the package of an errand held up."""
    try:
        package = opened(Path(errand.file))
        check_label(package, errand.name, errand.version)
        check_fit(package.card.scoring, errand.channels)
        check_network(package)
        return performed(package, deadline_ms=errand.deadline_ms)
    except Refused as error:
        return Tried(error.reason, error.detail[:500])


def opened(path: Path) -> Package:
    """Return the package in a file; raise Refused."""
    try:
        with path.open("rb") as file:
            return unpack_package(file.read(MAX_PACKAGE_BYTES + 1))
    except OSError as error:
        raise Refused(Reason.DISK, f"{path} cannot be read: {error.strerror}") from error
    except Truncated as error:
        raise Refused(Reason.TRUNCATED, str(error)) from error
    except Oversized as error:
        raise Refused(Reason.OVERSIZED, str(error)) from error
    except ProtocolError as error:
        raise Refused(Reason.MALFORMED, str(error)) from error


def check_label(package: Package, name: str, version: int) -> None:
    """Raise Refused where the package is of another model or version than was asked for."""
    card = package.card
    if (card.name, card.version) != (name, version):
        raise Refused(Reason.MISLABELLED, f"asked for {name}@{version}, this is {card.name}@{card.version}")


def check_fit(scoring: Scoring, channels: tuple[str, ...]) -> None:
    """Raise Refused where the Device lacks a channel, or the card's numbers do not go together."""
    missing = [one for one in scoring.channels if one not in channels]
    if missing:
        raise Refused(Reason.WRONG_CHANNELS, f"needs {missing[0]}, the Device is judged by {', '.join(channels)}")
    n_channels = len(scoring.channels)
    for name, length in {
        "channels": len(set(scoring.channels)),
        "center": len(scoring.center),
        "width": len(scoring.width),
    }.items():
        if length != n_channels:
            raise Refused(Reason.WRONG_SCORING, f"scoring.{name}: {length} of {n_channels}, one a channel")
    if not scoring.spans or not all(1 <= rows <= MAX_SPAN_ROWS for rows in (*scoring.spans, scoring.smooth)):
        raise Refused(Reason.WRONG_SCORING, f"scoring.spans, smooth: must be 1 to {MAX_SPAN_ROWS} rows")
    if not min(scoring.width) > 0:
        raise Refused(Reason.WRONG_SCORING, "scoring.width: every one must be above 0")


def check_network(package: Package) -> None:
    """Raise Refused unless the network says of itself that it is one plain graph from int8 features to int8."""
    try:
        told = read_tflite(package.network)
    except ProtocolError as error:
        raise Refused(Reason.NOT_LOADABLE, str(error)) from error
    strange = sorted(told.operators - OPERATORS.keys())
    if strange or told.graphs != 1:
        names = ", ".join(map(str, strange)) or "none"
        raise Refused(Reason.OPERATOR, f"{told.graphs} graphs, operators that no model here needs: {names}")
    scoring = package.card.scoring
    n_features = len(scoring.channels) * len(scoring.spans)
    for name, reason, ports in (
        ("input", Reason.WRONG_INPUTS, told.inputs),
        ("output", Reason.WRONG_OUTPUTS, told.outputs),
    ):
        if any(port.dtype != "int8" or not 0 < port.step < math.inf for port in ports):
            raise Refused(Reason.NOT_INT8, f"the {name} is {ports[0].dtype} in steps of {ports[0].step:g}")
        widths = [math.prod(port.shape[1:]) for port in ports]
        if widths != [n_features]:
            raise Refused(reason, f"{name}s of {widths} numbers, one of {n_features} is needed")


def performed(package: Package, *, deadline_ms: float) -> Tried:
    """Load the network, take the time of a row, run the self-test; raise Refused."""
    scoring = package.card.scoring
    before_bytes = resident_bytes()
    try:
        network = load_network(package.network)
    except ProtocolError as error:
        raise Refused(Reason.NOT_LOADABLE, str(error)) from error
    resident = resident_bytes() - before_bytes
    rows = np.asarray(package.card.self_test.rows, np.float64)
    try:
        row_us = timed_us(Scorer(scoring, network), rows, at_once=1)
        if row_us > deadline_ms * 1000:
            raise Refused(Reason.TOO_SLOW, f"a row takes {row_us / 1000:.1f} ms, {deadline_ms:g} are allowed")
        worst = self_tested(package, Scorer(scoring, network), rows)
        batched_us = timed_us(Scorer(scoring, network), rows, at_once=BATCH_ROWS)
    except ProtocolError as error:
        raise Refused(Reason.SELF_TEST, str(error)) from error
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise Refused(Reason.WRONG_SCORING, f"scoring: its numbers do not go together: {error}") from error
    return Tried(
        row_us=round(row_us, 1),
        batched_us=round(batched_us, 2),
        worst=round(worst, 4),
        network_bytes=len(package.network),
        resident_bytes=resident,
        runtime=next((name for name in RUNTIMES if name in sys.modules), ""),
    )


def self_tested(package: Package, scorer: Scorer, rows: NDArray[np.float64]) -> float:
    """Return how far the farthest score is from what the card expects; raise Refused beyond its tolerance."""
    test = package.card.self_test
    scores = scorer.take(rows).score
    if not 1 <= len(test.scores) <= len(scores):
        raise Refused(Reason.SELF_TEST, f"{len(test.scores)} scores are expected of {len(scores)} rows")
    apart = np.abs(scores[-len(test.scores) :] - np.asarray(test.scores))
    worst = float(apart.max()) if np.isfinite(apart).all() else float("inf")
    if not worst <= test.tolerance:
        raise Refused(Reason.SELF_TEST, f"a score is {worst:.3f} off, {test.tolerance:g} is allowed")
    return worst


def timed_us(scorer: Scorer, rows: NDArray[np.float64], *, at_once: int) -> float:
    """Return the median time of a row, in microseconds, where so many rows come at once and the windows are full."""
    warm_up = max(scorer.scoring.spans) + scorer.scoring.smooth + memory_of(scorer.scoring)
    scorer.take(np.resize(rows, (warm_up, rows.shape[1])))
    taken_us: list[float] = []
    end_s = time.perf_counter() + MEASURE_S
    while not taken_us or (len(taken_us) < MOST_TURNS and time.perf_counter() < end_s):
        portion = np.resize(np.roll(rows, -len(taken_us), axis=0), (at_once, rows.shape[1]))
        begun_s = time.perf_counter()
        scorer.take(portion)
        taken_us.append((time.perf_counter() - begun_s) * 1e6 / at_once)
    return statistics.median(taken_us)


def resident_bytes() -> int:
    """Return how much memory this process keeps."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    run_errand(TrialErrand, attempt, memory_bytes=MEMORY_BYTES)
