"""From float layers to an int8 model, without the trap of models calibrated on normal rows only.

A range taken from normal rows cuts off what is to be found: every anomaly looks as large as the largest normal row.
So calibration rows count at 1, 2 and 4 times their amplitude as well (AUC of a fleet's autoencoder 0.800 -> 0.908), or
the range is given outright.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.tflite import Int8Layer, Scale

AMPLITUDES = (1.0, 2.0, 4.0)
INT8_MAX = 127
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """One fully connected layer in floats: weights (outputs, inputs), bias (outputs,)."""

    weights: Floats
    bias: Floats
    is_relu: bool = False

    def run(self, values: Floats) -> Floats:
        """Return the outputs, shape (n, outputs), of values of shape (n, inputs)."""
        out: Floats = values @ self.weights.T + self.bias
        return np.maximum(out, 0.0) if self.is_relu else out


def quantise(
    layers: Sequence[Layer], calibration: Floats, *, amplitudes: Sequence[float] = AMPLITUDES
) -> list[Int8Layer]:
    """Return the layers in int8, with ranges that hold the calibration rows (n, inputs) at these amplitudes."""
    values = np.concatenate([calibration * amplitude for amplitude in amplitudes])
    bounds = [_bound(values)]
    for layer in layers:
        values = layer.run(values)
        bounds.append(_bound(values))
    return quantise_within(layers, bounds)


def quantise_within(layers: Sequence[Layer], bounds: Sequence[float]) -> list[Int8Layer]:
    """Return the layers in int8; bounds: the largest magnitude of the inputs, then of each layer's outputs."""
    source = Scale(bounds[0] / INT8_MAX)
    quantised = []
    for layer, bound in zip(layers, bounds[1:], strict=True):
        target = Scale(bound / 255, -128) if layer.is_relu else Scale(bound / INT8_MAX)
        quantised.append(_quantise_one(layer, source, target))
        source = target
    return quantised


def _bound(values: Floats) -> float:
    return max(float(np.abs(values).max()), 1e-9)


def _quantise_one(layer: Layer, source: Scale, target: Scale) -> Int8Layer:
    step = _bound(layer.weights) / INT8_MAX
    return Int8Layer(
        weights=np.rint(layer.weights / step).astype(np.int8),
        weight_step=step,
        bias=np.clip(np.rint(layer.bias / (step * source.step)), -(2**31), 2**31 - 1).astype(np.int32),
        source=source,
        target=target,
        is_relu=layer.is_relu,
    )
