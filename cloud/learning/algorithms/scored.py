"""Scored: a detector that runs on gateways, judged here by the same scorer and the same int8 network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from cloud.learning.algorithm import Explanation, Learned, Settings
from cloud.learning.keeping import CARD, card_file, read_card, read_file
from cloud.learning.table import Floats, Table
from protocols.errors import NetworkFailed
from protocols.scoring.loader import load_network
from protocols.scoring.model import Fitted, InvalidRows, Scoring
from protocols.scoring.network import Network
from protocols.scoring.scorer import Scored as Judged
from protocols.scoring.scorer import Scorer

SCORING = "scoring.json"
NETWORK = "network.tflite"
MACHINES = "machines.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scored:
    """A Fitted that has learned; rows before its windows are full have the score NaN and are no anomaly.

    by_machine: of a fleet's model, the scale and threshold of each group that it learned from.
    """

    learned: Learned
    model: Fitted
    by_machine: Mapping[int, Scoring] = field(default_factory=dict)
    is_fleet: bool = False

    def fitted(self) -> Fitted:
        """Return the model in the form that packages carry."""
        return self.model

    def score(self, table: Table) -> Floats:
        """Return the raw scores, shape (n,), as the threshold is in."""
        return self._judged(table).raw

    def predict(self, table: Table) -> Floats:
        """Return 1 for rows over the threshold, else 0, shape (n,)."""
        return self._judged(table).is_over.astype(np.float64)

    def outputs(self, table: Table) -> Floats:
        """Return the scores in 0..1, .5 at the threshold, shape (n, 1)."""
        return self._judged(table).score[:, None]

    def explain(self, table: Table) -> Explanation:
        """Return each channel's share of the score in 0..1; they add up to it."""
        judged = self._judged(table)
        placed = np.zeros(table.values.shape)
        places = [table.columns.index(name) for name in self.learned.columns]
        placed[:, places] = judged.shares * judged.score[:, None]
        return Explanation(placed, np.zeros(len(table)), "score", "channel_shares", is_exact=True)

    def files(self) -> Mapping[str, bytes]:
        """Return the card, how to score, and the int8 network."""
        scoring = msgspec.json.format(msgspec.json.encode(self.model.scoring), indent=1)
        files = {CARD: card_file(self.learned), SCORING: scoring, NETWORK: self.model.network}
        return {**files, MACHINES: msgspec.json.encode(self.by_machine)} if self.is_fleet else files

    def _judged(self, table: Table) -> Judged:
        own = table.select(self.learned.columns)
        network = open_network(self.model.network)
        parts = [(rows, self._run(own, rows, network)) for rows in own.runs()]
        order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
        return Judged(
            raw=np.concatenate([part.raw for _, part in parts])[order],
            score=np.concatenate([part.score for _, part in parts])[order],
            is_over=np.concatenate([part.is_over for _, part in parts])[order],
            shares=np.concatenate([part.shares for _, part in parts])[order],
        )

    def _run(self, table: Table, rows: NDArray[np.int64], network: Network) -> Judged:
        machine = None if table.groups is None or not len(rows) else int(table.groups[rows[0]])
        scoring = self.model.scoring if machine is None else self.by_machine.get(machine, self.model.scoring)
        try:
            return Scorer(scoring, network).take(table.values[rows], may_adapt=False)
        except InvalidRows as error:
            raise Invalid(str(error), details={"field": "columns"}) from error


def open_network(data: bytes) -> Network:
    """Return a model ready to run; raise Invalid where it is none."""
    try:
        return load_network(data)
    except NetworkFailed as error:
        raise Invalid(f"{NETWORK}: {error}") from error


def load_scored(files: Mapping[str, bytes], algorithm: str, kind: type[Settings]) -> Scored:
    """Return the model that `Scored.files` gave; raise Invalid where they are not of this algorithm."""
    learned = read_card(files, algorithm, kind)
    scoring = _read(files, SCORING, Scoring)
    by_machine = _read(files, MACHINES, dict[int, Scoring]) if MACHINES in files else {}
    network = read_file(files, NETWORK)
    open_network(network)
    return Scored(learned, Fitted(scoring, network), by_machine, is_fleet=MACHINES in files)


def _read(files: Mapping[str, bytes], name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(read_file(files, name), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"{name}: {error}") from error


def period_of(table: Table, otherwise_s: float) -> float:
    """Return the usual time from row to row in seconds, of one machine's rows."""
    if table.time_us is None:
        return otherwise_s
    steps = np.concatenate([np.diff(table.time_us[rows]) for rows in table.runs()])
    return max(float(np.median(steps)) / 1e6, 1e-3) if len(steps) else otherwise_s
