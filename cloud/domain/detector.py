"""Detector: a model for anomalies as people set it up, before and after it is fitted; fitting makes its versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.algorithm_names import known_name
from cloud.domain.model import ModelVersion
from cloud.errors import Invalid

MAX_NAME, MAX_DESCRIPTION = 200, 2_000
USUAL_RATE = 0.01
MOST_RATE = 0.5
_PLAIN = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 60


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector; algorithm: as its maker called it; model: the Model whose versions it is fitted as.

    hyperparameters: as its maker gave them, without the contamination; revision: rises when they are changed;
    fitted_version: None until a fit with these hyperparameters has ended.
    """

    id: str
    model: str
    name: str
    algorithm: str
    contamination_rate: float
    hyperparameters: Mapping[str, object]
    description: str
    created_at: datetime
    updated_at: datetime
    fitted_version: int | None = None
    revision: int = 1

    @property
    def is_fitted(self) -> bool:
        """Return whether it can judge."""
        return self.fitted_version is not None

    def check(self) -> "Detector":
        """Return the detector; raise Invalid, which names the field, where it cannot be one."""
        for field, text, longest in (("name", self.name, MAX_NAME), ("description", self.description, MAX_DESCRIPTION)):
            if len(text) > longest:
                raise invalid(field, f"has {len(text)} characters, {longest} are allowed")
        if not self.name.strip():
            raise invalid("name", "must not be empty")
        if not 0 <= self.contamination_rate <= MOST_RATE:
            raise invalid("contamination_rate", f"{self.contamination_rate:g} is not 0 to {MOST_RATE:g}")
        return self


def model_name(name: str, identity: str) -> str:
    """Return a name for a detector's Model that no other has: its own in plain letters, and the end of its id."""
    plain = _PLAIN.sub("-", name.lower()).strip("-")[:_MAX_SLUG].strip("-")
    return f"{plain or 'detector'}-{identity[-8:]}"


def of_version(version: ModelVersion, identity: str) -> Detector:
    """Return the detector that a version stands for which nobody had set up: one of an import, or of a retraining."""
    told = version.card.get("settings")
    settings = dict(told) if isinstance(told, Mapping) else {}
    rate = settings.pop("contamination", settings.pop("alarm_share", USUAL_RATE))
    return Detector(
        id=identity,
        model=version.model,
        name=version.model,
        algorithm=known_name(version.algorithm),
        contamination_rate=float(rate) if isinstance(rate, int | float) else USUAL_RATE,
        hyperparameters=settings,
        description="",
        created_at=version.created_at,
        updated_at=version.created_at,
        fitted_version=version.version,
    )


def invalid(field: str, issue: str) -> Invalid:
    """Return what is wrong with a field."""
    return Invalid(f"{field}: {issue}", code="INVALID_PARAMETERS", details={"field": field, "issue": issue})
