"""Network: a loaded model as the scorer sees it, whatever runs it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Network(Protocol):
    """One loaded model. Owes: quantises and dequantises by what the model says; takes any number of rows at once."""

    @property
    def inputs(self) -> int:
        """Return how many features a row has."""

    @property
    def outputs(self) -> int:
        """Return how many numbers come out for a row."""

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs, shape (n, outputs), of features of shape (n, inputs); raise NetworkFailed."""
