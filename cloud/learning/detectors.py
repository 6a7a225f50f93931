"""Detectors: set up, changed, fitted by trainings, deleted with all that was learned."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cloud.domain.algorithm_names import ALIASES, own_name
from cloud.domain.audit import AuditEntry
from cloud.domain.detector import Detector, invalid, model_name
from cloud.domain.identity import new_id
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.learning.algorithm import Algorithm, Task, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.ports import Clock, FileStore
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.detectors import (
    delete_detector,
    detector_of,
    find_detector,
    list_detectors,
    save_detector,
    uses_of,
)

_CONTAMINATION = "contamination"
_SEED = "random_state"
_MOST_SEED = 2**31 - 1
_LEAST_RATE = 1e-4
"""What a rate of 0 comes to: the smallest share of alarms that the algorithms know."""
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a new detector."""

    name: str
    algorithm: str
    contamination_rate: float | None = None
    hyperparameters: Mapping[str, object] | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different; None: as it is."""

    name: str | None = None
    description: str | None = None
    hyperparameters: Mapping[str, object] | None = None


class Detectors:
    """The detectors of one installation; safe to use from several threads."""

    def __init__(
        self, records: Records, files: FileStore, clock: Clock, draw: Callable[[int], str] = secrets.token_hex
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._files = files
        self._clock = clock
        self._draw = draw

    def create(self, wish: Wish, *, by: str) -> Detector:
        """Return a new detector that is not fitted; raise Invalid that names the field, Unavailable."""
        rate, rest = _rate(wish.contamination_rate, wish.hyperparameters or {}, usual=0.01)
        now_us = self._clock.now_us()
        identity, at = new_id(now_us, self._draw(10)), to_datetime(now_us)
        made = Detector(
            id=identity,
            model=model_name(wish.name, identity),
            name=wish.name,
            algorithm=wish.algorithm,
            contamination_rate=rate,
            hyperparameters=rest,
            description=wish.description,
            created_at=at,
            updated_at=at,
        ).check()
        settings_of(made)
        self._save(made, "detector.add", by)
        return made

    def list(self, *, algorithm: str = "", is_fitted: bool | None = None) -> Sequence[Detector]:
        """Return those of an algorithm, by any of its names, fitted or not, the newest first; raise Unavailable."""
        with self._records.reading() as session:
            found = list_detectors(session)
        own = own_name(algorithm)
        return [
            one
            for one in found
            if (not algorithm or own_name(one.algorithm) == own) and is_fitted in (None, one.is_fitted)
        ]

    def get(self, detector_id: str) -> Detector:
        """Return one by its id, or by the name or id of its Model; raise NotFound, Unavailable."""
        plain = detector_id.replace("-", "").lower()
        with self._records.reading() as session:
            found = find_detector(session, plain) if len(plain) == _ID_DIGITS else None
            found = found or detector_of(session, detector_id)
        if found is None:
            raise NotFound(f"there is no detector {detector_id:.100}", code="DETECTOR_NOT_FOUND")
        return found

    def fitted(self, detector_id: str) -> Detector:
        """Return one that can judge; raise NotFound, Conflict where it is not fitted."""
        found = self.get(detector_id)
        if not found.is_fitted:
            raise Conflict(f"detector {found.name!r} is not fitted: POST /detection/train", code="DETECTOR_NOT_FITTED")
        return found

    def change(self, detector_id: str, change: Change, *, by: str) -> Detector:
        """Return it changed; other hyperparameters make it unfitted. Raise NotFound, Invalid, Unavailable."""
        before = self.get(detector_id)
        name = before.name if change.name is None else change.name
        description = before.description if change.description is None else change.description
        after = replace(before, name=name, description=description, updated_at=self._now()).check()
        if change.hyperparameters is not None:
            _, rest = _rate(before.contamination_rate, change.hyperparameters, usual=before.contamination_rate)
            if rest != dict(before.hyperparameters):
                after = replace(after, hyperparameters=rest, fitted_version=None, revision=before.revision + 1)
        settings_of(after)
        self._save(after, "detector.change", by)
        return after

    def delete(self, detector_id: str, *, by: str, force: bool = False) -> None:
        """Forget one with all that was learned; raise NotFound, Conflict while it serves and force is not set."""
        detector = self.get(detector_id)
        with self._records.writing() as session:
            aliases, devices = uses_of(session, detector.model)
            if (aliases or devices) and not force:
                used = [*aliases, *([f"on {devices} devices"] if devices else [])]
                told = f"detector {detector.name!r} is deployed ({', '.join(used)}); force=true deletes it all the same"
                raise Conflict(told, code="DETECTOR_IN_USE", details={"aliases": aliases, "devices": devices})
            files = delete_detector(session, detector)
            add_audit(session, AuditEntry(self._now(), by, "detector.delete", detector.id, {"model": detector.model}))
        for file in files:
            self._files.delete(file)

    def _save(self, detector: Detector, deed: str, by: str) -> None:
        details: dict[str, object] = {"name": detector.name, "algorithm": detector.algorithm}
        with self._records.writing() as session:
            save_detector(session, detector)
            add_audit(session, AuditEntry(self._now(), by, deed, detector.id, details))

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def settings_of(detector: Detector) -> tuple[str, dict[str, object], int]:
    """Return our algorithm's name, its settings and the seed; raise Invalid that names what is wrong."""
    algorithm = _algorithm(detector.algorithm)
    settings = dict(detector.hyperparameters)
    seed = settings.pop(_SEED, 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= _MOST_SEED:
        raise invalid(f"hyperparameters.{_SEED}", f"{seed!r:.40} is no whole number of 0 to {_MOST_SEED}")
    known = set(algorithm.settings.model_fields)
    unknown = sorted(set(settings) - known)
    if unknown:
        allowed = ", ".join(sorted({*known - {"alarm_share"}, _CONTAMINATION, _SEED}))
        raise invalid(f"hyperparameters.{unknown[0]:.80}", f"{detector.algorithm} has none such; there are {allowed}")
    share = next((name for name in (_CONTAMINATION, "alarm_share") if name in known), None)
    if share is not None:
        settings.setdefault(share, max(detector.contamination_rate, _LEAST_RATE))
    try:
        read_settings(algorithm.settings, settings)
    except Invalid as error:
        raise invalid(f"hyperparameters.{error.details.get('field', '')}", str(error)) from error
    return algorithm.name, settings, seed


def _algorithm(name: str) -> Algorithm:
    found = ALGORITHMS.get(own_name(name))
    if found is None or found.task is not Task.ANOMALY:
        ours = [own for own, one in ALGORITHMS.items() if one.task is Task.ANOMALY]
        allowed = sorted([*(alias for alias, own in ALIASES.items() if own in ours), *ours])
        raise invalid("algorithm_name", f"{name[:100]!r} is none; there are {', '.join(allowed)}")
    return found


def _rate(
    rate: float | None, hyperparameters: Mapping[str, object], *, usual: float
) -> tuple[float, dict[str, object]]:
    """Return the one rate that both places say, and the other hyperparameters; raise Invalid where they differ."""
    rest = dict(hyperparameters)
    inside = rest.pop(_CONTAMINATION, None)
    if inside is None:
        return usual if rate is None else rate, rest
    field = f"hyperparameters.{_CONTAMINATION}"
    if isinstance(inside, bool) or not isinstance(inside, int | float):
        raise invalid(field, f"{inside!r:.40} is no number")
    if rate is not None and float(inside) != rate:
        raise invalid(field, f"{inside:g} contradicts contamination_rate {rate:g}")
    return float(inside), rest
