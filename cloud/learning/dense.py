"""Dense: small stacks of fully connected layers trained in numpy, so that no deep learning library is needed.

Adam by Kingma and Ba, ICLR 2015; starting weights by He et al., ICCV 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cloud.learning.algorithm import Progress
from cloud.learning.table import Floats
from protocols.scoring.quantise import Layer

DECAY, SQUARE_DECAY, TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Training:
    """widths: of each layer's output, inputs first; patience: epochs without a better error after which it ends."""

    widths: tuple[int, ...]
    epochs: int
    learning_rate: float
    batch_rows: int = 64
    patience: int = 6


class _Adam:
    def __init__(self, parts: Sequence[Floats], rate: float) -> None:
        self._mean = [np.zeros_like(part) for part in parts]
        self._square = [np.zeros_like(part) for part in parts]
        self._rate = rate
        self._steps = 0

    def step(self, parts: Sequence[Floats], gradients: Sequence[Floats]) -> None:
        """Move the parts in place against their gradients."""
        self._steps += 1
        rate = self._rate * np.sqrt(1 - SQUARE_DECAY**self._steps) / (1 - DECAY**self._steps)
        for i, gradient in enumerate(gradients):
            self._mean[i] += (1 - DECAY) * (gradient - self._mean[i])
            self._square[i] += (1 - SQUARE_DECAY) * (gradient**2 - self._square[i])
            parts[i][:] -= rate * self._mean[i] / (np.sqrt(self._square[i]) + TINY)


def train_to_repeat(learn: Floats, stop: Floats, training: Training, *, seed: int, progress: Progress) -> list[Layer]:
    """Return layers that give back their inputs: from rows (n, inputs), until rows (m, inputs) get no better.

    All layers but the middle and the last cut negative outputs to 0. Raises what progress raises.
    """
    rng = np.random.default_rng(seed)
    parts = _begin(training.widths, rng)
    adam = _Adam(parts, training.learning_rate)
    best, best_error, waited = [part.copy() for part in parts], np.inf, 0
    for epoch in range(training.epochs):
        progress(epoch / training.epochs, f"epoch {epoch + 1} of at most {training.epochs}")
        for rows in np.array_split(rng.permutation(len(learn)), max(len(learn) // training.batch_rows, 1)):
            adam.step(parts, _gradients(parts, learn[rows]))
        error = float(np.mean((_outputs(parts, stop)[-1] - stop) ** 2))
        waited = 0 if error < best_error - 1e-6 else waited + 1
        if waited == 0:
            best, best_error = [part.copy() for part in parts], error
        if waited >= training.patience:
            break
    return [Layer(best[i], best[i + 1], is_relu=_is_relu(best, i)) for i in range(0, len(best), 2)]


def _begin(widths: Sequence[int], rng: np.random.Generator) -> list[Floats]:
    parts: list[Floats] = []
    for inputs, outputs in pairwise(widths):
        parts += [rng.normal(size=(outputs, inputs)) * np.sqrt(2 / inputs), np.zeros(outputs)]
    return parts


def _is_relu(parts: Sequence[Floats], i: int) -> bool:
    layer, last = i // 2, len(parts) // 2 - 1
    return layer not in {last, last // 2}


def _outputs(parts: Sequence[Floats], rows: Floats) -> list[Floats]:
    outputs = [rows]
    for i in range(0, len(parts), 2):
        out = outputs[-1] @ parts[i].T + parts[i + 1]
        outputs.append(np.maximum(out, 0.0) if _is_relu(parts, i) else out)
    return outputs


def _gradients(parts: Sequence[Floats], rows: Floats) -> list[Floats]:
    outputs = _outputs(parts, rows)
    gradients: list[Floats] = []
    back = 2 * (outputs[-1] - rows) / rows.size
    for i in range(len(parts) - 2, -1, -2):
        if _is_relu(parts, i):
            back = back * (outputs[i // 2 + 1] > 0)
        gradients[:0] = [back.T @ outputs[i // 2], back.sum(axis=0)]
        back = back @ parts[i]
    return gradients
