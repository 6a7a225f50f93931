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
from cloud.sections.base import Port, Secret, Section
from cloud.sections.limits import LimitSettings, RedisSettings
from cloud.sections.telling import FeedSettings, MailSettings, WebhookSettings


class ApiSettings(Section):
    """Where the API listens and what it bears; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port = 8000
    allowed_hosts: tuple[str, ...] = ()
    """Names that a Host header may carry beside the bound address and IP numbers; `*` allows any."""
    max_body_kib: Annotated[int, Field(ge=1, le=1 << 20)] = 1024
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads for blocking reads; each has its own connection."""
    docs: bool = True
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    metrics_require_key: bool = False


class TlsSettings(Section):
    """How the broker proves who it is and, optionally, how we do."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class MqttSettings(Section):
    """The broker between the gateways and the ingest process."""

    host: str = "127.0.0.1"
    port: Port = 1883
    transport: Literal["tcp", "websockets"] = "tcp"
    protocol: Literal["5", "3.1.1"] = "5"
    username: str = ""
    password: Secret = ""
    tls: TlsSettings | None = None
    share: str = "ingest"
    """The group of ingest processes that divide the batches among them."""


Days = Annotated[float, Field(gt=0, le=36_500)]


class RetentionSettings(Section):
    """How long raw readings of some series are kept; `*` in a pattern stands for any text, null days for ever."""

    gateway: str = "*"
    device: str = "*"
    tag: str = "*"
    days: Days | None


class StoreSettings(Section):
    """The reading store: what it keeps, and how much room it leaves on the disk."""

    retention_days: Days | None = None
    """How long raw readings are kept; null for ever. Hourly rollups stay."""
    retention: tuple[RetentionSettings, ...] = ()
    """Rules for some series; the first that fits one counts, `retention_days` where none does."""
    minimum_free: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Below this share of free disk nothing is taken any more; it is said, and alarmed."""
    max_size_mib: Annotated[int, Field(ge=1)] | None = None


class IngestSettings(Section):
    """What is taken from those who send by HTTP or plain JSON."""

    max_future_s: Annotated[float, Field(ge=0)] = 300.0
    """How far a reading's time may lie ahead of the cloud's clock."""


class JobSettings(Section):
    """What runs beside the requests: training, retraining, checks; each job is a process of its own."""

    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many jobs run at once; null: one less than there are cores, and at least one."""
    limit_s: Annotated[float, Field(gt=0, le=7 * 86_400)] = 300.0
    """How long one job may run before it is stopped."""
    memory_mib: Annotated[int, Field(ge=128, le=1 << 20)] = 2048
    keep_days: Annotated[float, Field(gt=0)] = 90.0
    """How long jobs that ended are shown."""


class LearningSettings(Section):
    """What may be uploaded, and when models are trained anew by themselves."""

    max_upload_mib: Annotated[int, Field(ge=1, le=4096)] = 50
    max_expanded_mib: Annotated[int, Field(ge=1, le=1 << 16)] = 512
    """The memory that an upload may take when it is read."""
    max_rows: Annotated[int, Field(ge=1, le=100_000_000)] = 2_000_000
    max_columns: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    models_mib: Annotated[int, Field(ge=1, le=1 << 20)] = 256
    """The memory for models that answer; those asked for least are let go of beyond it."""
    retrain_every_days: Days | None = 7.0
    """How old a served model gets before it is trained anew; null: never by its age alone."""
    retrain_on_drift: bool = True
    retrain_on_labels: Annotated[int, Field(ge=1)] | None = 50
    """How many new labels of a model's devices make it learn anew; null: none do."""
    training_days: Days = 14.0
    """How many days of readings a retraining looks at."""


class ForecastSettings(Section):
    """Series that are foretold each hour; `*` in a pattern stands for any text."""

    gateway: str = "*"
    device: str = "*"
    tag: str = "*"
    horizons_h: Annotated[tuple[Annotated[int, Field(ge=1, le=168)], ...], Field(min_length=1, max_length=24)] = (1, 24)
    """How many hours ahead."""


class AnalysisSettings(Section):
    """What is looked for in stored readings without being asked."""

    drift_every_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    drift_window_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    """How much of the newest readings a check on schedule looks at."""
    drift_false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.003
    """The share of corrected checks that may cry without drift."""
    forecasts: tuple[ForecastSettings, ...] = ()
    """The first that fits a series counts; a series that none fits is not foretold."""


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
    def packages_path(self) -> Path:
        """Return the directory of signed model packages, with the keys that sign them here."""
        return self.data / "packages"

    @property
    def offline_keys_path(self) -> Path:
        """Return where `init` puts the keys that are to leave this server."""
        return self.data / "offline-keys"

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
