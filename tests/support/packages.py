"""Packages for tests: fitted on rows drawn here, with a self-test whose scores the runtime itself gave."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from protocols.package import Card, Lineage, Package, SelfTest
from protocols.scoring.fit import fit
from protocols.scoring.scorer import Scorer

CHANNELS = ("flow", "pressure", "vibration")


def normal_rows(n_rows: int, n_channels: int = len(CHANNELS), *, seed: int = 1) -> NDArray[np.float64]:
    """Return rows (n_rows, n_channels) of a healthy machine: channels that go together, and noise."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(n_channels, n_channels)) + 2 * np.eye(n_channels)
    return np.asarray(random.normal(size=(n_rows, n_channels)) @ mixing + 10.0)


def make_package(name: str, version: int, channels: Sequence[str] = CHANNELS) -> Package:
    """Return a good package; its version is the seed of the rows that it learned from."""
    fitted = fit(normal_rows(400, len(channels), seed=version), channels, period_s=1.0)
    rows = normal_rows(100, len(channels), seed=1000 + version)
    scores = Scorer(fitted.scoring, load_network(fitted.network)).take(rows).score[-20:]
    card = Card(
        name=name,
        version=version,
        scoring=fitted.scoring,
        self_test=SelfTest(tuple(tuple(row) for row in rows.tolist()), tuple(scores.tolist())),
        lineage=Lineage(made_at_us=1, made_by="test", algorithm="whitening", rows=400),
        network_bytes=len(fitted.network),
        network_sha256=sha256(fitted.network).hexdigest(),
    )
    return Package(card, fitted.network)


def with_network(package: Package, network: bytes) -> Package:
    """Return the package around another network, rightly declared."""
    told = {"network_bytes": len(network), "network_sha256": sha256(network).hexdigest()}
    return Package(msgspec.structs.replace(package.card, **told), network)
