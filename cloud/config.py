"""Settings: the cloud's whole configuration, read from one YAML file, checked once and whole.

Unknown keys are errors. Secrets are never in the file: a secret is written `env:NAME` or `file:PATH`. Relative paths
are taken from the configuration file's own directory.
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError

from cloud.errors import InvalidConfig
from cloud.sections.auth import AuthSettings
from cloud.sections.base import Port, Section
from cloud.sections.learning import AnalysisSettings, JobSettings, LearningSettings
from cloud.sections.limits import LimitSettings, RedisSettings
from cloud.sections.readings import IngestSettings, MqttSettings, StoreSettings
from cloud.sections.scaling import ScalingSettings
from cloud.sections.telling import FeedSettings, MailSettings, WebhookSettings


class ApiSettings(Section):
    """Where the API listens and what it bears; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port = 8000
    registry_port: Port | None = None
    """Where MLflow's clients look for the registry, usually 5000; null: they use the API's own port."""
    console_port: Port | None = None
    """Another port of the console, such as 8501; null: it is at /ui/ of the API's own port."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that a Host header may carry beside the bound address and IP numbers; `*` allows any."""
    max_body_kib: Annotated[int, Field(ge=1, le=1 << 20)] = 1024
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads for blocking reads; each has its own connection."""
    shared_for_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Callers within so long share what costs much: dashboard, system metrics, health and alarms in lists; 0: none."""
    docs: bool = True
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    metrics_require_key: bool = False


class LogSettings(Section):
    """How much is written to the log, one JSON document a line on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    """Everything that one installation of the cloud can be told."""

    data: Path = Path()
    """The data directory: readings.db, records.db and the intake's socket."""
    records: str = ""
    """The records' database URL (postgresql+psycopg://...), `env:` or `file:`; empty: records.db in the directory."""
    api: ApiSettings = ApiSettings()
    auth: AuthSettings = AuthSettings()
    mqtt: MqttSettings | None = MqttSettings()
    """Null for an installation that takes readings by HTTP only."""
    store: StoreSettings = StoreSettings()
    ingest: IngestSettings = IngestSettings()
    jobs: JobSettings = JobSettings()
    learning: LearningSettings = LearningSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    scaling: ScalingSettings = ScalingSettings()
    log: LogSettings = LogSettings()
    limits: LimitSettings = LimitSettings()
    redis: RedisSettings = RedisSettings()
    live: FeedSettings = FeedSettings()
    webhooks: WebhookSettings = WebhookSettings()
    mail: MailSettings = MailSettings()

    @property
    def readings_path(self) -> Path:
        """Return the file of readings, ledger and gateways."""
        return self.data / "readings.db"

    @property
    def files_path(self) -> Path:
        """Return the directory of datasets, models and packages."""
        return self.data / "files"

    @property
    def intake_path(self) -> Path:
        """Return the Unix socket by which the API hands readings to the ingest process."""
        return self.data / "intake.sock"

    @property
    def counters_path(self) -> Path:
        """Return the file in which the API's processes count requests together."""
        return self.data / "counters.db"

    @property
    def token_keys_path(self) -> Path:
        """Return the file of the keys that sign tokens of people who log in."""
        return self.data / "token-keys.json"

    @property
    def setup_token_path(self) -> Path:
        """Return where `init` writes the token by which the first administrator registers."""
        return self.data / "setup-token"

    @property
    def webhooks_key_path(self) -> Path:
        """Return the file of the secret from which the secrets of webhooks are derived."""
        return self.data / "webhooks.key"

    @property
    def links_key_path(self) -> Path:
        """Return the file of the secret that signs links to reports and exports."""
        return self.data / "links.key"

    @property
    def instances_path(self) -> Path:
        """Return the directory where the worker asks the supervisor for processes."""
        return self.data / "instances"

    @property
    def log_level_path(self) -> Path:
        """Return the file by which an operator changes the level of all processes' logs."""
        return self.data / "log-level"

    @property
    def packages_path(self) -> Path:
        """Return the directory of signed model packages, with the keys that sign them here."""
        return self.data / "packages"

    @property
    def offline_keys_path(self) -> Path:
        """Return where `init` puts the keys that are to leave this server."""
        return self.data / "offline-keys"

    @property
    def restore_marker_path(self) -> Path:
        """Return the file that is there while a restore exchanges the data."""
        return self.data / "restore-unfinished"

    @property
    def records_url(self) -> str:
        """Return the database URL of the records."""
        if self.records:
            return read_secret(self.records) if self.records.startswith(("env:", "file:")) else self.records
        return f"sqlite:///{self.data / 'records.db'}"


def read_secret(reference: str) -> str:
    """Return what `env:NAME` or `file:PATH` points at, `` for ``; raise InvalidConfig where there is nothing."""
    if not reference:
        return ""
    way, _, name = reference.partition(":")
    if way == "env":
        value = os.environ.get(name)
        if value is None:
            raise InvalidConfig([f"{reference}: there is no environment variable {name}"])
        return value
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfig([f"{reference}: cannot be read: {error}"]) from error


def load_settings(path: Path) -> Settings:
    """Return the checked settings with absolute paths; raise InvalidConfig with every finding at once."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfig([f"{path}: cannot be read: {error}"]) from error
    except yaml.YAMLError as error:
        raise InvalidConfig([f"{path}: not YAML: {error}"]) from error
    return parse_settings({} if content is None else content, origin=str(path), base=path.parent)


def parse_settings(content: object, *, origin: str, base: Path) -> Settings:
    """Return the checked settings of parsed YAML; relative paths start at base; raise InvalidConfig."""
    if not isinstance(content, Mapping):
        raise InvalidConfig([f"{origin}: must hold keys and values, not {type(content).__name__}"])
    try:
        settings = Settings.model_validate(dict(content))
    except ValidationError as error:
        raise InvalidConfig([_finding(origin, dict(found)) for found in error.errors()]) from error
    return settings.model_copy(update={"data": (base / settings.data).resolve()})


def _finding(origin: str, found: dict[str, Any]) -> str:
    where = found["loc"]
    path = ".".join(str(part) for part in where)
    if found["type"] != "extra_forbidden":
        return f"{origin}: {path}: {found['msg']}"
    allowed = _keys_of(where[:-1])
    close = get_close_matches(str(where[-1]), allowed, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{origin}: {path}: unknown key; {hint}allowed: {', '.join(allowed)}"


def _keys_of(where: tuple[str | int, ...]) -> list[str]:
    section: type[BaseModel] = Settings
    for part in where:
        if isinstance(part, int):  # a place in a list, whose sections are all of one kind
            continue
        annotation = section.model_fields[part].annotation
        kinds = [annotation, *get_args(annotation)]
        section = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return sorted(section.model_fields)
