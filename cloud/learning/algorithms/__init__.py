"""What can learn: one file an algorithm, all behind the port of `cloud/learning/algorithm.py`."""

from collections.abc import Mapping

from cloud.learning.algorithm import Algorithm

ALGORITHMS: Mapping[str, Algorithm] = {}
