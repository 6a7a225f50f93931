"""All tables of the records in one place, for migrations."""

from cloud.records.alarm_rules import AlarmRuleRow
from cloud.records.alarms import AlarmCommentRow, AlarmRow
from cloud.records.api_keys import ApiKeyRow
from cloud.records.audit import AuditRow
from cloud.records.autonomy import AutonomyRow
from cloud.records.base import Base
from cloud.records.channel_hours import ChannelHoursRow
from cloud.records.circuits import CircuitRow
from cloud.records.datasets import DatasetRow
from cloud.records.dead_letters import DeadLetterRow
from cloud.records.decisions import DecisionRequestRow, DecisionRow
from cloud.records.deliveries import DeliveryRow
from cloud.records.detectors import DetectorRow
from cloud.records.device_facts import ChannelLimitsRow, DeviceFactsRow
from cloud.records.devices import DeviceRow
from cloud.records.downloads import DownloadRow
from cloud.records.drift import DriftBaselineRow, DriftCheckRow
from cloud.records.experiments import ExperimentRow, RunRow
from cloud.records.followers import FollowerRow
from cloud.records.forecasts import ForecastRow
from cloud.records.handovers import HandoverNoteRow
from cloud.records.hazards import HazardRow
from cloud.records.health_scores import HealthScoreRow, PlantPointRow
from cloud.records.heartbeats import HeartbeatRow
from cloud.records.idempotency import IdempotencyRow
from cloud.records.job_row import JobRow
from cloud.records.labels import LabelRow
from cloud.records.load import LoadBinRow, LoadCapacityRow
from cloud.records.models import ModelAliasRow, ModelRow, ModelVersionRow
from cloud.records.notices import NoticeRow
from cloud.records.planned_events import PlannedEventRow
from cloud.records.recommendations import RecommendationRow
from cloud.records.retrainings import RetrainingRow
from cloud.records.rollouts import RolloutRow, RolloutTargetRow
from cloud.records.scaling import ScaledServiceRow, ScalingCountRow, ScalingDecisionRow
from cloud.records.sessions import LoginAttemptsRow, RefreshTokenRow, SessionRow
from cloud.records.settings import SettingRow
from cloud.records.users import InviteRow, UserRow
from cloud.records.wanted import WantedModelRow, WantedRow
from cloud.records.webhooks import WebhookRow

TABLES = (
    AlarmCommentRow,
    AlarmRow,
    AlarmRuleRow,
    ApiKeyRow,
    AuditRow,
    AutonomyRow,
    ChannelHoursRow,
    ChannelLimitsRow,
    CircuitRow,
    DatasetRow,
    DeadLetterRow,
    DecisionRequestRow,
    DecisionRow,
    DeliveryRow,
    DeviceFactsRow,
    DetectorRow,
    DeviceRow,
    DownloadRow,
    DriftBaselineRow,
    DriftCheckRow,
    ExperimentRow,
    FollowerRow,
    ForecastRow,
    HandoverNoteRow,
    HazardRow,
    HealthScoreRow,
    HeartbeatRow,
    IdempotencyRow,
    InviteRow,
    JobRow,
    LabelRow,
    LoadBinRow,
    LoadCapacityRow,
    LoginAttemptsRow,
    ModelAliasRow,
    ModelRow,
    ModelVersionRow,
    NoticeRow,
    PlannedEventRow,
    PlantPointRow,
    RecommendationRow,
    RefreshTokenRow,
    RetrainingRow,
    RolloutRow,
    RolloutTargetRow,
    RunRow,
    ScaledServiceRow,
    ScalingCountRow,
    ScalingDecisionRow,
    SessionRow,
    SettingRow,
    UserRow,
    WantedModelRow,
    WantedRow,
    WebhookRow,
)
METADATA = Base.metadata
