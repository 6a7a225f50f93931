"""Builders of packages whose card is right and whose network nobody runs."""

from hashlib import sha256

from protocols.package import Card, Lineage, Package, SelfTest
from protocols.scoring.model import Scoring, ScoringKind

NETWORK = b"a network that no test runs"


def package(name: str = "pump", *, version: int = 1, network: bytes = NETWORK, algorithm: str = "whitening") -> Package:
    """Return a package for two channels."""
    scoring = Scoring(
        kind=ScoringKind.WHITENING,
        channels=("flow", "pressure"),
        period_s=1.0,
        spans=(1,),
        center=(0.0, 0.0),
        width=(1.0, 1.0),
        threshold=3.0,
        alarm_share=0.01,
        rows=400,
    )
    card = Card(
        name=name,
        version=version,
        scoring=scoring,
        self_test=SelfTest(rows=((0.0, 0.0),), scores=(0.1,)),
        lineage=Lineage(made_at_us=1, made_by="test", algorithm=algorithm, rows=400),
        metrics={"recall": 0.9},
        network_bytes=len(network),
        network_sha256=sha256(network).hexdigest(),
    )
    return Package(card, network)
