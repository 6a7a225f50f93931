"""Networks in numpy: floats to compare with, and int8 as a runtime computes it; for evaluation, not for gateways."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.errors import NetworkFailed
from protocols.scoring.quantise import Layer
from protocols.scoring.tflite import Int8Layer


class FloatNetwork:
    """Layers in floats: what a model would say if eight bits were enough for everything."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)

    @property
    def inputs(self) -> int:
        """Return how many features a row has."""
        return int(self._layers[0].weights.shape[1])

    @property
    def outputs(self) -> int:
        """Return how many numbers come out for a row."""
        return int(self._layers[-1].weights.shape[0])

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs, shape (n, outputs), of features of shape (n, inputs); raise NetworkFailed."""
        _check(features, self.inputs)
        values = features.astype(np.float64)
        for layer in self._layers:
            values = layer.run(values)
        return values.astype(np.float32)


class Int8Network:
    """Layers in int8, rounded as runtimes do to within a step."""

    def __init__(self, layers: Sequence[Int8Layer]) -> None:
        self._layers = tuple(layers)
        self._weights = [layer.weights.astype(np.float64).T for layer in layers]

    @property
    def inputs(self) -> int:
        """Return how many features a row has."""
        return int(self._layers[0].weights.shape[1])

    @property
    def outputs(self) -> int:
        """Return how many numbers come out for a row."""
        return int(self._layers[-1].weights.shape[0])

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs, shape (n, outputs), of features of shape (n, inputs); raise NetworkFailed."""
        _check(features, self.inputs)
        first, last = self._layers[0].source, self._layers[-1].target
        values = np.clip(np.rint(features / first.step) + first.zero, -128, 127)
        for layer, weights in zip(self._layers, self._weights, strict=True):
            summed = (values - layer.source.zero) @ weights + layer.bias
            ratio = layer.source.step * layer.weight_step / layer.target.step
            values = np.clip(np.rint(summed * ratio) + layer.target.zero, _floor(layer), 127)
        return np.asarray((values - last.zero) * last.step, dtype=np.float32)


def _floor(layer: Int8Layer) -> int:
    return layer.target.zero if layer.is_relu else -128


def _check(features: NDArray[np.float32], inputs: int) -> None:
    if features.ndim != 2 or features.shape[1] != inputs:
        raise NetworkFailed(f"features of shape {features.shape} for a network of {inputs} inputs")
