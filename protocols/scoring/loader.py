"""The one file that knows a runtime: bytes of a TFLite model -> a Network, by LiteRT or by tflite-runtime.

Without XNNPACK: on models of a few kB it is no faster, takes longer to load, and keeps more memory. Values are
quantised here, with the file's own scales, many rows at once: that costs more than the model itself.
"""

from math import isnan, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.errors import NetworkFailed
from protocols.scoring.network import Network

MAX_NETWORK_BYTES = 16 * 1024 * 1024
MOST_ROWS = 4096
"""Rows at once; more are run in turns, so that memory is bounded."""
IDENTIFIER = b"TFL3"
INT8_LEAST, INT8_MOST = np.float32(-128), np.float32(127)
FAILURES = (RuntimeError, ValueError, TypeError, OverflowError, MemoryError)
"""What the runtimes raise, whatever goes wrong."""


def load_network(data: bytes) -> Network:
    """Return the model, ready to run; raise NetworkFailed where it cannot be loaded, or is not int8 in and out."""
    if data[4:8] != IDENTIFIER or len(data) > MAX_NETWORK_BYTES:
        raise NetworkFailed(f"{len(data)} bytes are no TFLite model of up to {MAX_NETWORK_BYTES}")
    runtime = _runtime()
    try:
        interpreter = runtime.Interpreter(
            model_content=data,
            num_threads=1,
            experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        network = _LoadedNetwork(interpreter)
    except FAILURES as error:
        raise NetworkFailed(f"the model cannot be loaded: {str(error)[:200]}") from error
    network.run(np.zeros((1, network.inputs), np.float32))
    return network


def _runtime() -> Any:  # noqa: ANN401 - a module without types
    try:  # costs 10 MiB, so only where a model runs
        from ai_edge_litert import interpreter as runtime  # type: ignore[import-untyped]  # noqa: PLC0415 - see above
    except ImportError:
        try:
            from tflite_runtime import interpreter as runtime  # type: ignore[import-not-found]  # noqa: PLC0415 - same
        except ImportError as error:
            raise NetworkFailed(f"no runtime for models: install ai-edge-litert or tflite-runtime ({error})") from error
    return runtime


class _Port:
    """The input or the output of a model: where it is, its shape without the rows, and how its bytes are meant."""

    def __init__(self, details: list[dict[str, Any]], name: str) -> None:
        if len(details) != 1:
            raise NetworkFailed(f"the model has {len(details)} {name}s, not one")
        (detail,) = details
        if detail["dtype"] is not np.int8:
            raise NetworkFailed(f"the model's {name} is {detail['dtype'].__name__}, not int8")
        scale, zero = detail["quantization"]
        shape = [int(length) for length in detail["shape"]]
        if len(shape) < 2 or shape[0] != 1 or min(shape) < 1:
            raise NetworkFailed(f"the model's {name} has the shape {shape}, not one row")
        if not scale > 0 or not np.isfinite(scale) or not -128 <= zero <= 127:
            raise NetworkFailed(f"the model's {name} has the scale {scale} and the zero point {zero}")
        self.index = int(detail["index"])
        self.shape = shape[1:]
        self.width = prod(self.shape)
        self.step = np.float32(scale)
        self.zero = float(zero)


class _LoadedNetwork:
    """The Network port over an interpreter that owns its memory; not for two threads at once."""

    def __init__(self, interpreter: Any) -> None:  # noqa: ANN401 - of a library without types
        self._interpreter = interpreter
        self._in = _Port(interpreter.get_input_details(), "input")
        self._out = _Port(interpreter.get_output_details(), "output")
        self._rows = 1
        self._takes_many = True

    @property
    def inputs(self) -> int:
        """Return how many features a row has."""
        return self._in.width

    @property
    def outputs(self) -> int:
        """Return how many numbers come out for a row."""
        return self._out.width

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs, shape (n, outputs), of features of shape (n, inputs); raise NetworkFailed."""
        if features.ndim != 2 or features.shape[1] != self.inputs:
            raise NetworkFailed(f"features of shape {features.shape} for a model of {self.inputs} inputs")
        steps = features / self._in.step
        np.rint(steps, out=steps)
        if self._in.zero:
            steps += self._in.zero
        np.minimum(steps, INT8_MOST, out=steps)
        np.maximum(steps, INT8_LEAST, out=steps)
        if isnan(np.vdot(steps, steps)):
            raise NetworkFailed("a feature is not a number")
        values = steps.astype(np.int8)
        try:
            raw = self._turns(values)
        except FAILURES as error:
            raise NetworkFailed(f"the model failed: {str(error)[:200]}") from error
        outputs: NDArray[np.float32] = raw.astype(np.float32)
        if self._out.zero:
            outputs -= self._out.zero
        outputs *= self._out.step
        return outputs

    def _turns(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        n_rows = len(values)
        most = MOST_ROWS if self._takes_many else 1
        if 0 < n_rows <= most and self._resize(n_rows):
            return self._invoke(values)
        parts = [self._turns(values[begin : begin + most]) for begin in range(0, n_rows, most)]
        return np.concatenate([np.empty((0, self.outputs), np.int8), *parts])

    def _invoke(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        self._interpreter.set_tensor(self._in.index, values.reshape(len(values), *self._in.shape))
        self._interpreter.invoke()
        raw: NDArray[np.int8] = self._interpreter.get_tensor(self._out.index)
        return raw.reshape(len(values), self.outputs)

    def _resize(self, n_rows: int) -> bool:
        """Return whether the model takes so many rows at once: some are built for one alone."""
        if n_rows == self._rows:
            return True
        try:
            self._interpreter.resize_tensor_input(self._in.index, [n_rows, *self._in.shape])
            self._interpreter.allocate_tensors()
            is_resized = tuple(self._interpreter.get_output_details()[0]["shape"]) == (n_rows, *self._out.shape)
        except (RuntimeError, ValueError):
            is_resized = False
        self._rows = n_rows if is_resized else 0  # it stays as it was left: half-way
        if not is_resized and n_rows > 1:
            self._takes_many = False
        return is_resized
