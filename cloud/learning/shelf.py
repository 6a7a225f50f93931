"""Shelf: models that have been asked for, ready to answer; what is asked for least goes when there is no more room."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cloud.domain.model import PACKAGE_FILE, ModelVersion
from cloud.errors import CloudError, Conflict, Invalid, Unavailable
from cloud.learning.algorithm import Learned, Portable, Settings, Task, Trained
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.algorithms.scored import Scored, open_network
from cloud.learning.keeping import CARD
from cloud.learning.packaging import rows_to_fill
from cloud.learning.preparing import Prepared, load_prepared
from cloud.learning.registry import Registry
from cloud.learning.table import Floats, Table
from protocols.errors import LinesideError
from protocols.package import unpack_package
from protocols.scoring.model import Fitted

_UNPACKED = 4
"""A model in memory takes about so many times its files: they are packed, or text."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A version that can answer; size: bytes in memory, as far as the files tell; lookback: rows before it knows."""

    version: ModelVersion
    trained: Trained
    size: int
    lookback: int = 0

    @property
    def learned(self) -> Learned:
        """Return what it learned from and how."""
        return self.trained.learned

    def outputs(self, table: Table) -> Floats:
        """Return all that it says of the rows (n, k); each machine's first row stands for those before it."""
        if not self.lookback:
            return self.trained.outputs(table)
        found = [(rows, self._filled(table.take(rows))) for rows in table.runs()]
        order = np.argsort(np.concatenate([rows for rows, _ in found]), kind="stable")
        answers: Floats = np.concatenate([part for _, part in found])[order]
        return answers

    def with_past(self, table: Table) -> Table:
        """Return one machine's rows behind as many rows, each like the first, as the model looks back over."""
        past = np.zeros(self.lookback, np.int64)
        return replace(table.take(np.concatenate([past, np.arange(len(table))])), groups=None)

    def _filled(self, rows: Table) -> Floats:
        return self.trained.outputs(self.with_past(rows))[self.lookback :]


class Shelf:
    """Versions by what they are, up to so many bytes; safe to use from several threads."""

    def __init__(self, registry: Registry, *, most_bytes: int) -> None:
        self._registry = registry
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, str], Ready] = OrderedDict()

    def take(self, version: ModelVersion) -> Ready:
        """Return the version, from memory or from its checked files; raise Conflict, Unavailable where that fails."""
        key = version.model, version.version, version.sha256
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        ready = self._load(version)
        with self._lock:
            self._kept[key] = ready
            while self.bytes > self._most and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return ready

    @property
    def bytes(self) -> int:
        """Return how much of the room is taken."""
        return sum(one.size for one in self._kept.values())

    def _load(self, version: ModelVersion) -> Ready:
        size = _UNPACKED * sum(file.size for file in version.files.values())
        try:
            trained = self._trained(version)
            return Ready(version, trained, size, _lookback(trained))
        except (Invalid, LinesideError) as error:
            if isinstance(error, CloudError) and not isinstance(error, Invalid):
                raise
            raise Unavailable(f"{version.label} cannot be loaded: {error}", code="MODEL_DAMAGED") from error

    def _trained(self, version: ModelVersion) -> Trained:
        if CARD in version.files and version.algorithm in ALGORITHMS:
            files = {name: self._registry.read(version, name) for name in version.files if name != PACKAGE_FILE}
            return load_prepared(ALGORITHMS[version.algorithm], files)
        if version.has_package:
            return _of_package(self._registry.read(version))
        raise Conflict(f"{version.label}: {version.algorithm} does not run here", code="MODEL_NOT_RUNNABLE")


def _of_package(data: bytes) -> Trained:
    """Return what gateways run, judged here by the same scorer."""
    package = unpack_package(data)
    scoring = package.card.scoring
    open_network(package.network)
    figures: Mapping[str, float] = {"threshold": scoring.threshold}
    name = package.card.lineage.algorithm or scoring.kind.value
    learned = Learned(name, Task.ANOMALY, tuple(scoring.channels), ("normal", "anomaly"), Settings(), figures)
    return Scored(learned, Fitted(scoring, package.network), is_fleet=package.card.is_fleet)


def _lookback(trained: Trained) -> int:
    inner = trained.inner if isinstance(trained, Prepared) else trained
    if not isinstance(inner, Portable):
        return 0
    fitted = inner.fitted()
    return rows_to_fill(fitted.scoring, open_network(fitted.network)) - 1
