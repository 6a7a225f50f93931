"""Registry: Models and their versions; what is added is never changed, what serves is named by an alias."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

import msgspec
from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.identity import new_id
from cloud.domain.model import (
    PACKAGE_FILE,
    Model,
    ModelVersion,
    StoredFile,
    Task,
    check_alias,
    check_model_name,
    check_tags,
)
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.ports import Clock, FileStore
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.detectors import note_fit
from cloud.records.models import (
    add_model,
    add_version,
    find_model,
    list_models,
    mark_version,
    set_alias,
    set_tags,
)
from protocols.errors import LinesideError
from protocols.package import Package, unpack_package

_KIND = "models"
_NO_FILES: Mapping[str, bytes] = {}
_NO_FACTS: Mapping[str, object] = {}
_NO_METRICS: Mapping[str, float] = {}


class Publisher(Protocol):
    """Signs a package under a path that never changes its content."""

    def publish(self, path: str, data: bytes) -> str:
        """Return the sha256; raise Invalid, Conflict, or Unavailable without keys."""


class Registry:
    """The Models of one installation; safe to use from several threads and processes."""

    def __init__(
        self,
        records: Records,
        files: FileStore,
        clock: Clock,
        publisher: Publisher,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._files = files
        self._clock = clock
        self._publisher = publisher
        self._draw = draw

    def list(self) -> list[Model]:
        """Return all Models in order of their making; raise Unavailable."""
        with self._records.reading() as session:
            return list_models(session)

    def get(self, name: str) -> Model:
        """Return a Model by its name or id; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            found = find_model(session, name)
        if found is None:
            raise NotFound(f"there is no model {name[:120]!r}", code="MODEL_NOT_FOUND")
        return found

    def version(self, name: str, version: int | str | None = None) -> ModelVersion:
        """Return a version by its number or an alias; None: the champion, else the newest. Raise NotFound."""
        model = self.get(name)
        number = model.aliases.get(version) if isinstance(version, str) else version
        found = model.shown if version is None else (model.find(number) if number is not None else None)
        if found is None:
            raise NotFound(f"{model.name} has no version {version}", code="MODEL_VERSION_NOT_FOUND")
        return found

    def add_version(  # noqa: PLR0913 all that is known of a version, and it is never changed afterwards
        self,
        name: str,
        *,
        algorithm: str,
        task: Task,
        by: str,
        files: Mapping[str, bytes] = _NO_FILES,
        package: Package | None = None,
        metrics: Mapping[str, float] = _NO_METRICS,
        lineage: Mapping[str, object] = _NO_FACTS,
        card: Mapping[str, object] = _NO_FACTS,
        session: Session | None = None,
    ) -> ModelVersion:
        """Return a new version, its number one above the last; a package gets this name and number in its card.

        session: of a transaction with which it comes to be, None for one of its own.
        Raises Invalid, Conflict where the Model has another task, Unavailable.
        """
        check_model_name(name)
        if not files and package is None:
            raise Invalid(f"files: a version of {name} needs at least one", code="INVALID_MODEL")
        draft = ModelVersion(
            model=name,
            version=0,
            algorithm=algorithm,
            task=task,
            metrics=metrics,
            card=card,
            lineage=lineage,
            files={},
            sha256="",
            created_at=to_datetime(self._clock.now_us()),
            created_by=by,
        )
        if session is not None:
            return self._kept(session, draft, files, package)
        with self._records.writing() as own:
            return self._kept(own, draft, files, package)

    def add_package(self, data: bytes, *, by: str, name: str = "") -> ModelVersion:
        """Return a new version of what a package file holds; raise Invalid that says what is wrong with the file."""
        try:
            package = unpack_package(data)
        except LinesideError as error:
            raise Invalid(f"package: {error}", code="INVALID_PACKAGE") from error
        algorithm = package.card.lineage.algorithm or package.card.scoring.kind.value
        return self.add_version(
            name or package.card.name, algorithm=algorithm, task=Task.ANOMALY, by=by, package=package
        )

    def read(self, version: ModelVersion, file: str = PACKAGE_FILE) -> bytes:
        """Return the content of one file of a version, checked; raise NotFound, Unavailable."""
        stored = version.files.get(file)
        if stored is None:
            raise NotFound(f"{version.label} has no file {file[:80]!r}", code="MODEL_FILE_NOT_FOUND")
        data = self._files.read(stored.name)
        if sha256(data).hexdigest() != stored.sha256:
            raise Conflict(f"{version.label}: {file} is not what was kept", code="MODEL_DAMAGED")
        return data

    def publish(self, name: str, version: int | str | None = None, *, by: str) -> ModelVersion:
        """Sign a version's package so that gateways may fetch it; twice changes nothing.

        Raises NotFound, Invalid where it has no package, Conflict for an archived one, Unavailable without keys.
        """
        found = self.version(name, version)
        if found.path:
            return found
        if not found.has_package:
            raise Invalid(f"{found.label} has no package: gateways cannot run {found.algorithm}", code="NO_PACKAGE")
        if found.archived_at is not None:
            raise Conflict(f"{found.label} is archived", code="MODEL_ARCHIVED")
        path = f"{found.model}/{found.version}.lsp"
        self._publisher.publish(path, self.read(found))
        now = to_datetime(self._clock.now_us())
        published = replace(found, path=path, published_at=now)
        with self._records.writing() as session:
            mark_version(session, published)
            add_audit(session, AuditEntry(now, by, "model.publish", found.label, {"path": path}))
        return published

    def set_alias(self, name: str, alias: str, version: int | None, *, by: str) -> Model:
        """Let an alias name this version, None: none any more; the champion is what serves. Raise NotFound, Invalid."""
        check_alias(alias)
        model = self.get(name)
        found = self.version(model.name, version) if version is not None else None
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            set_alias(session, model.name, alias, version)
            if found is not None:
                mark_version(session, replace(found, deployed_at=now) if alias == "champion" else found)
            add_audit(session, AuditEntry(now, by, "model.alias", model.name, {"alias": alias, "version": version}))
        return self.get(name)

    def set_tags(self, name: str, tags: Mapping[str, str], *, by: str) -> Model:
        """Keep these tags of a Model and no others; raise NotFound, Invalid."""
        model = self.get(name)
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            set_tags(session, model.name, check_tags(tags))
            add_audit(session, AuditEntry(now, by, "model.tags", model.name, {"tags": dict(tags)}))
        return self.get(name)

    def archive(self, name: str, version: int, *, by: str) -> ModelVersion:
        """Put a version aside for good; raise NotFound, Conflict where an alias names it."""
        model, found = self.get(name), self.version(name, version)
        named = [alias for alias, number in model.aliases.items() if number == version]
        if named:
            raise Conflict(f"{found.label} is the {', '.join(named)}", code="MODEL_IN_USE")
        now = to_datetime(self._clock.now_us())
        archived = replace(found, archived_at=found.archived_at or now)
        with self._records.writing() as session:
            mark_version(session, archived)
            add_audit(session, AuditEntry(now, by, "model.archive", found.label))
        return archived

    def _kept(
        self, session: Session, draft: ModelVersion, files: Mapping[str, bytes], package: Package | None
    ) -> ModelVersion:
        """Keep a version under the next number; who writes holds the lock, so nobody else has that."""
        version = replace(draft, version=_next_number(session, draft.model, draft.task))
        contents = dict(files)
        if package is not None:
            named = _named(package, version.model, version.version)
            contents[PACKAGE_FILE] = named.pack()
            version = _with_card(version, named)
        stored = {file: self._put(data) for file, data in contents.items()}
        version = replace(version, files=stored, sha256=_digest(contents))
        try:
            self._keep(session, version)
        except Exception:
            for file in version.files.values():
                self._files.delete(file.name)
            raise
        return version

    def _keep(self, session: Session, version: ModelVersion) -> None:
        if find_model(session, version.model) is None:
            add_model(session, Model(f"model_{self._draw(8)}", version.model, version.task, version.created_at))
        add_version(session, version)
        if version.task is Task.ANOMALY:
            note_fit(session, version, new_id=lambda: new_id(self._clock.now_us(), self._draw(10)))
        details: dict[str, object] = {"algorithm": version.algorithm, "sha256": version.sha256}
        add_audit(session, AuditEntry(version.created_at, version.created_by, "model.add", version.label, details))

    def _put(self, data: bytes) -> StoredFile:
        ref = self._files.put(_KIND, data)
        return StoredFile(ref.name, ref.sha256, ref.size)


def _next_number(session: Session, name: str, task: Task) -> int:
    model = find_model(session, name)
    if model is None:
        return 1
    if model.name != name:
        raise Invalid(f"name: {name!r} is the id of the model {model.name}", code="INVALID_MODEL_NAME")
    if model.task is not task:
        raise Conflict(f"{name} is a model for {model.task}, not for {task}", code="MODEL_TASK_DIFFERS")
    return max((one.version for one in model.versions), default=0) + 1


def _named(package: Package, name: str, version: int) -> Package:
    return Package(msgspec.structs.replace(package.card, name=name, version=version), package.network)


def _with_card(version: ModelVersion, package: Package) -> ModelVersion:
    """Return a version that says what its package's card says, where nothing else was said."""
    return replace(
        version,
        card={**_told_of(package), **version.card},
        metrics={**package.card.metrics, **version.metrics},
        lineage={**msgspec.to_builtins(package.card.lineage), **version.lineage},
    )


def _told_of(package: Package) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(package.card)
    del told["self_test"]  # rows of an asset, long and of no use to a reader
    return told


def _digest(contents: Mapping[str, bytes]) -> str:
    if PACKAGE_FILE in contents:
        return sha256(contents[PACKAGE_FILE]).hexdigest()
    names = "".join(f"{name}:{sha256(data).hexdigest()};" for name, data in sorted(contents.items()))
    return sha256(names.encode()).hexdigest()
