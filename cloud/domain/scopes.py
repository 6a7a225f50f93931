"""Scope: what a caller may do; the whole table is here."""

from collections.abc import Mapping
from enum import StrEnum


class Scope(StrEnum):
    """One permission; `admin` contains all others."""

    DATA_INGEST = "data:ingest"
    REPORTS_GENERATE = "reports:generate"
    TASKS_UPDATE = "tasks:update"
    ML_PREDICT = "ml:predict"
    ML_ANOMALY = "ml:anomaly"
    ML_DRIFT = "ml:drift"
    DATA_READ = "data:read"
    GATEWAYS_READ = "gateways:read"
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    ALARMS_READ = "alarms:read"
    ALARMS_WRITE = "alarms:write"
    LEARNING_READ = "learning:read"
    LEARNING_WRITE = "learning:write"
    DEVICES_WRITE = "devices:write"
    EVENTS_WRITE = "events:write"
    SYSTEM_READ = "system:read"
    SETTINGS_WRITE = "settings:write"
    ADMIN = "admin"


SCOPES: Mapping[Scope, str] = {
    Scope.DATA_INGEST: "send readings",
    Scope.REPORTS_GENERATE: "generate reports and exports",
    Scope.TASKS_UPDATE: "submit decisions and accept recommendations",
    Scope.ML_PREDICT: "run predictions",
    Scope.ML_ANOMALY: "run anomaly detection",
    Scope.ML_DRIFT: "run drift checks",
    Scope.DATA_READ: "read devices and their readings",
    Scope.GATEWAYS_READ: "read gateways and their accounts",
    Scope.MODELS_READ: "read models, rollouts and packages; what a gateway's key needs",
    Scope.MODELS_WRITE: "publish models and roll them out",
    Scope.ALARMS_READ: "read alarms, their rules and labels",
    Scope.ALARMS_WRITE: "acknowledge, shelve and label alarms; make rules for them",
    Scope.LEARNING_READ: "read datasets and jobs",
    Scope.LEARNING_WRITE: "upload datasets, train models, cancel jobs",
    Scope.DEVICES_WRITE: "set limits, criticality and tariffs of devices, and reset their baselines",
    Scope.EVENTS_WRITE: "plan events such as maintenance and shift changes",
    Scope.SYSTEM_READ: "read settings, activity, system figures and the scaling of services",
    Scope.SETTINGS_WRITE: "change settings",
    Scope.ADMIN: "everything, keys and users included",
}
"""What each scope allows, as users read it."""
