"""Autoencoder: a dense network that repeats normal rows of a whole fleet, as an int8 model of a few kB for gateways.

Hinton and Salakhutdinov, Science 2006; Sakurada and Yairi 2014 for anomalies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cloud.learning.algorithm import Progress, Settings, Task, Trained, own_settings
from cloud.learning.algorithms.reconstruction import Prepared, ReconstructionSettings, finish, prepare
from cloud.learning.algorithms.scored import load_scored
from cloud.learning.dense import Training, train_to_repeat
from cloud.learning.table import Table
from protocols.scoring.networks import FloatNetwork
from protocols.scoring.quantise import quantise
from protocols.scoring.tflite import write_tflite


class AutoencoderSettings(ReconstructionSettings):
    """hidden: width of the layers around the middle; middle: of the middle one, 0 for a third of the inputs."""

    hidden: Annotated[int, Field(ge=2, le=256)] = 32
    middle: Annotated[int, Field(ge=0, le=64)] = 0


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """How badly a network that knows normal rows repeats a row, with the share of each channel."""

    name: str = "autoencoder"
    summary: str = "Several like machines at once, each in its own scale; runs on the gateway."
    task: Task = Task.ANOMALY
    settings: type[Settings] = AutoencoderSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from rows not labelled faulty, machine by machine in order of time."""
        own = own_settings(AutoencoderSettings, settings)
        prepared = prepare(table, own)
        layers = train_to_repeat(prepared.learn, prepared.stop, _training(prepared, own), seed=seed, progress=progress)
        progress(1.0, "trained")
        data = write_tflite(quantise(layers, prepared.learn))
        return finish(self.name, prepared, own, data, FloatNetwork(layers))

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_scored(files, self.name, self.settings)


def _training(prepared: Prepared, settings: AutoencoderSettings) -> Training:
    inputs = prepared.learn.shape[1]
    middle = settings.middle or max(inputs // 3, 1)
    widths = (inputs, settings.hidden, middle, settings.hidden, inputs)
    return Training(widths, settings.epochs, settings.learning_rate)
