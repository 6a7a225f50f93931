"""All tables of the records in one place, for migrations."""

from cloud.records.api_keys import ApiKeyRow
from cloud.records.audit import AuditRow
from cloud.records.base import Base
from cloud.records.devices import DeviceRow
from cloud.records.drift import DriftBaselineRow, DriftCheckRow
from cloud.records.forecasts import ForecastRow
from cloud.records.hazards import HazardRow
from cloud.records.idempotency import IdempotencyRow
from cloud.records.labels import LabelRow

TABLES = (
    ApiKeyRow,
    AuditRow,
    DeviceRow,
    DriftBaselineRow,
    DriftCheckRow,
    ForecastRow,
    HazardRow,
    IdempotencyRow,
    LabelRow,
)
METADATA = Base.metadata
