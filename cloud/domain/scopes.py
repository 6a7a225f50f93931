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
    ADMIN = "admin"


SCOPES: Mapping[Scope, str] = {
    Scope.DATA_INGEST: "send readings",
    Scope.REPORTS_GENERATE: "generate reports",
    Scope.TASKS_UPDATE: "submit decisions",
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
    Scope.ADMIN: "everything, keys included",
}
"""What each scope allows, as users read it."""
