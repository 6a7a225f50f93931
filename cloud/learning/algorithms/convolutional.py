"""Convolutional autoencoder over time scales, by TensorFlow where it is installed, as an int8 model for gateways.

A row's trailing means over 1, 2, 4, ... rows are a small picture, scales by channels; convolutions run along scales,
so that the model sees the last 32 rows, needs no more than a gateway's scorer gives it, and never looks ahead.
After Thill, Konen and Baeck, Temporal convolutional autoencoder for unsupervised anomaly detection, 2021.
"""

import io
import os
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from cloud.errors import Unavailable
from cloud.learning.algorithm import Progress, Settings, Task, Trained, own_settings
from cloud.learning.algorithms.reconstruction import Prepared, ReconstructionSettings, finish, prepare
from cloud.learning.algorithms.scored import load_scored
from cloud.learning.table import Floats, Table
from protocols.scoring.quantise import AMPLITUDES

CALIBRATION_ROWS = 200
Spans = Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=3, max_length=8)]


class ConvolutionalSettings(ReconstructionSettings):
    """filters: of the outer layers; middle: of the one between, which everything must go through."""

    spans: Spans = (1, 2, 4, 8, 16, 32)
    filters: Annotated[int, Field(ge=2, le=128)] = 16
    middle: Annotated[int, Field(ge=1, le=64)] = 4
    epochs: Annotated[int, Field(ge=1, le=2_000)] = 40


@dataclass(frozen=True, slots=True)
class Convolutional:
    """How badly convolutions along time scales, which know normal rows, repeat a row."""

    name: str = "convolutional_autoencoder"
    summary: str = "Patterns over time scales, of several like machines; needs TensorFlow to learn, not to run."
    task: Task = Task.ANOMALY
    settings: type[Settings] = ConvolutionalSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from rows not labelled faulty; raise Unavailable where TensorFlow is not installed."""
        own = own_settings(ConvolutionalSettings, settings)
        progress(0.0, "checking")
        prepared = prepare(table, own)
        tensorflow = _tensorflow()
        network = _trained(tensorflow, prepared, own, progress, seed)
        data = _converted(tensorflow, network, prepared, own)
        progress(1.0, "converted")
        return finish(self.name, prepared, own, data)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_scored(files, self.name, self.settings)


def _tensorflow() -> Any:  # noqa: ANN401 - an optional library
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import tensorflow as tf  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, and 400 MiB
    except ImportError as error:
        raise Unavailable(
            "convolutional_autoencoder: TensorFlow is not installed; lineside[train-tf] has it"
        ) from error
    return tf


def _layers(tensorflow: Any, n_channels: int, settings: ConvolutionalSettings, batch_rows: int | None) -> Any:  # noqa: ANN401 - Keras
    keras = tensorflow.keras
    n_spans = len(settings.spans)

    def along(filters: int, activation: str | None) -> Any:  # noqa: ANN401 - Keras
        return keras.layers.Conv1D(filters, 3, padding="same", activation=activation)

    return keras.Sequential(
        [
            keras.layers.Input(shape=(n_spans * n_channels,), batch_size=batch_rows),
            keras.layers.Reshape((n_spans, n_channels)),
            along(settings.filters, "relu"),
            along(settings.middle, None),
            along(settings.filters, "relu"),
            along(n_channels, None),
            keras.layers.Flatten(),
        ]
    )


def _trained(
    tensorflow: Any,  # noqa: ANN401 - an optional library
    prepared: Prepared,
    settings: ConvolutionalSettings,
    progress: Progress,
    seed: int,
) -> Any:  # noqa: ANN401 - Keras
    keras = tensorflow.keras
    keras.backend.clear_session()  # layers are numbered through, and their names are in the file
    keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()
    network = _layers(tensorflow, len(prepared.table.columns), settings, None)
    network.compile(optimizer=keras.optimizers.Adam(settings.learning_rate), loss="mse")

    def told(epoch: int, _: object) -> None:
        progress(epoch / settings.epochs, f"epoch {epoch + 1} of at most {settings.epochs}")

    ending = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    telling = keras.callbacks.LambdaCallback(on_epoch_begin=told)
    stop = prepared.stop.astype(np.float32)
    learn = prepared.learn.astype(np.float32)
    network.fit(
        learn, learn, batch_size=64, epochs=settings.epochs, verbose=0, validation_data=(stop, stop),
        callbacks=[telling, ending],
    )  # fmt: skip
    return network


def _converted(tensorflow: Any, network: Any, prepared: Prepared, settings: ConvolutionalSettings) -> bytes:  # noqa: ANN401 - Keras
    """Return the int8 model, calibrated with rows at several amplitudes: with normal ones alone it saturates."""
    single = _layers(tensorflow, len(prepared.table.columns), settings, 1)
    single.set_weights(network.get_weights())
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(single)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    rows = _calibration(prepared.learn)
    converter.representative_dataset = lambda: ([row[None]] for row in rows)
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tensorflow.int8
    converter.inference_output_type = tensorflow.int8
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # it speaks of ranges that the rows above give
        warnings.simplefilter("ignore")
        return bytes(converter.convert())


def _calibration(learn: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    chosen = learn[:: max(len(learn) // CALIBRATION_ROWS, 1)]
    return np.concatenate([chosen * amplitude for amplitude in AMPLITUDES]).astype(np.float32)
