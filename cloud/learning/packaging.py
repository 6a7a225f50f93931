"""Packaging: what a fit made becomes what gateways take: a card that tells of it, self-test rows, the network."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from protocols.package import Card, Lineage, Package, SelfTest
from protocols.scoring.model import Fitted, Scoring
from protocols.scoring.network import Network
from protocols.scoring.scorer import Scorer

Floats = NDArray[np.float64]
_TESTED_BESIDES = 60
"""Self-test rows beyond those that fill the windows."""
_MOST_TESTED = 2_000
_DEVIATION = 6.0
"""Widths by which the last self-test rows leave what is normal, so that the test sees a score over the threshold."""
_NUMBER = 1
"""The registry numbers the version when it takes the package."""


@dataclass(frozen=True, slots=True)
class About:
    """What a card says of a model beside what was fitted."""

    name: str
    lineage: Lineage
    metrics: dict[str, float]
    is_fleet: bool = False


def make_package(fitted: Fitted, network: Network, rows: Floats, about: About) -> Package:
    """Return the package of a model; rows (n, channels): normal ones for its self-test; raise Invalid for too few."""
    card = Card(
        name=about.name,
        version=_NUMBER,
        scoring=fitted.scoring,
        self_test=_self_test(fitted, network, rows),
        lineage=about.lineage,
        metrics={name: value for name, value in about.metrics.items() if np.isfinite(value)},
        is_fleet=about.is_fleet,
        network_bytes=len(fitted.network),
        network_sha256=sha256(fitted.network).hexdigest(),
    )
    return Package(card, fitted.network)


def rows_to_fill(scoring: Scoring, network: Network) -> int:
    """Return how many rows a fresh scorer needs before it says something; for so long a row is still seen."""
    count = max(scoring.spans) + scoring.smooth
    while count <= _MOST_TESTED:
        known = np.isfinite(Scorer(scoring, network).take(np.tile(scoring.center, (count, 1))).raw)
        if known.any():
            return int(known.argmax()) + 1
        count *= 2
    raise Invalid(f"spans: the model looks back over more than {_MOST_TESTED} rows", details={"field": "settings"})


def _self_test(fitted: Fitted, network: Network, rows: Floats) -> SelfTest:
    """Return normal rows, then the same with every channel moved, and the scores that a fresh scorer gives them."""
    scoring = fitted.scoring
    wanted = min(rows_to_fill(scoring, network) + _TESTED_BESIDES, _MOST_TESTED)
    if len(rows) < wanted:
        raise Invalid(f"rows: {len(rows)} are too few for a self-test of {wanted}", details={"field": "rows"})
    tested = np.round(rows[-wanted:], 9)
    tested[-_TESTED_BESIDES // 2 :] += _DEVIATION * np.asarray(scoring.width) * _signs(len(scoring.channels))
    scores = Scorer(scoring, network).take(tested).score
    return SelfTest(tuple(map(tuple, tested.tolist())), tuple(scores[np.isfinite(scores)].tolist()))


def _signs(count: int) -> Floats:
    """Return +1 and -1 in turn: channels that move apart are never normal together."""
    return np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
