"""What judges readings on the gateway: rules by name, beside the one model of each Device."""

from collections.abc import Callable, Mapping

from edge_agent.detectors.bounds import BoundsDetector
from edge_agent.detectors.frozen import FrozenDetector
from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.rate import RateDetector
from edge_agent.detectors.subject import Subject
from edge_agent.ports import Detector
from protocols.anomaly import AnomalySource

DETECTORS: Mapping[AnomalySource, Callable[[Subject], Detector]] = {
    AnomalySource.FROZEN: FrozenDetector,
    AnomalySource.RANGE: BoundsDetector,
    AnomalySource.RATE: RateDetector,
    AnomalySource.MODEL: ModelDetector,
}
"""Each takes the Device as it is judged."""
