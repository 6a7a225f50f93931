"""Model and ModelVersion: what was learned, each version unchangeable; names for versions are aliases, not stages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloud.errors import Invalid
from protocols.package import MODEL_NAME

CHAMPION = "champion"
"""The alias of the version that serves."""
CHALLENGER = "challenger"
"""The alias of the version that is on its way to serve."""
PACKAGE_FILE = "package.lsp"
"""The name of the file that gateways run, among a version's files."""
_NAME = re.compile(MODEL_NAME)
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAX_TAGS = 50
_MAX_TEXT = 200


class Task(StrEnum):
    """What a model is for."""

    ANOMALY = "anomaly"
    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    FORECAST = "forecast"
    SURVIVAL = "survival"


class Stage(StrEnum):
    """How far a version is, as its aliases, receipts and archive say; kept nowhere."""

    TRAINED = "trained"
    DEPLOYED = "deployed"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a version: its name in the file store, its sha256 and its size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a Model; nothing of it changes but that it is published, served or archived.

    card: what readers are told of how it works; files: by the name that the algorithm gave them; path: in the signed
    repository, empty until it is published; sha256: of the package, or over all files where there is none.
    """

    model: str
    version: int
    algorithm: str
    task: Task
    metrics: Mapping[str, float]
    card: Mapping[str, object]
    lineage: Mapping[str, object]
    files: Mapping[str, StoredFile]
    sha256: str
    created_at: datetime
    created_by: str
    path: str = ""
    published_at: datetime | None = None
    deployed_at: datetime | None = None
    archived_at: datetime | None = None

    @property
    def has_package(self) -> bool:
        """Return whether gateways can run it."""
        return PACKAGE_FILE in self.files

    @property
    def label(self) -> str:
        """Return `name@version`."""
        return f"{self.model}@{self.version}"


@dataclass(frozen=True, slots=True)
class Model:
    """A Model by its name: its versions, the newest first, and which of them the aliases name."""

    id: str
    name: str
    task: Task
    created_at: datetime
    versions: tuple[ModelVersion, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> ModelVersion | None:
        """Return the version that a list shows: the champion, else the newest."""
        champion = self.aliases.get(CHAMPION)
        return self.find(champion) if champion is not None else next(iter(self.versions), None)

    def find(self, version: int) -> ModelVersion | None:
        """Return a version by its number."""
        return next((one for one in self.versions if one.version == version), None)

    def stage_of(self, version: ModelVersion) -> Stage:
        """Return how far a version of this model is."""
        if version.archived_at is not None:
            return Stage.ARCHIVED
        return Stage.DEPLOYED if self.aliases.get(CHAMPION) == version.version else Stage.TRAINED


def check_model_name(name: str) -> str:
    """Return the name; raise Invalid where no model could have it."""
    if not _NAME.fullmatch(name):
        said = f"name: {name[:120]!r} is no model's name: a letter or digit, then up to 99 of a-z 0-9 _ . -"
        raise Invalid(said, code="INVALID_MODEL_NAME")
    return name


def check_alias(alias: str) -> str:
    """Return the alias; raise Invalid where it is none."""
    if not _ALIAS.fullmatch(alias):
        raise Invalid(f"alias: {alias[:80]!r}: a letter, then up to 39 of a-z 0-9 _ -", code="INVALID_ALIAS")
    return alias


def check_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags; raise Invalid where there are too many, or one is too long."""
    if len(tags) > MAX_TAGS:
        raise Invalid(f"tags: {len(tags)} are over {MAX_TAGS}", code="INVALID_TAGS")
    long = next(
        (name for name, text in tags.items() if not name or len(name) > _MAX_TEXT or len(text) > _MAX_TEXT), None
    )
    if long is not None:
        raise Invalid(f"tags: {long[:80]!r}: name and text have 1 to {_MAX_TEXT} characters", code="INVALID_TAGS")
    return tags
