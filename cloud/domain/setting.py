"""Setting: what administrators change while the cloud runs; the whole table is here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.domain.user import issue_of_email

Value = bool | int | float | str
MAX_TEXT = 1000
MAX_FREE = 200
"""How many settings clients may keep that mean nothing to the cloud."""
_FREE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; its kind is its default's. choices: of texts; low, high: bounds of numbers, both allowed."""

    key: str
    default: Value
    description: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    is_secret: bool = False
    """Is shown as SECRET where it is set."""

    def issue_of(self, value: object) -> str:
        """Return what is wrong with a value for it, empty where nothing is."""
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else "must be true or false"
        if isinstance(self.default, str):
            return self._issue_of_text(value)
        return self._issue_of_number(value)

    def _issue_of_text(self, value: object) -> str:
        if not isinstance(value, str):
            return "must be a text"
        if len(value) > MAX_TEXT or not value.isprintable():
            return f"must be at most {MAX_TEXT} printable characters"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        check = _CHECKS.get(self.key)
        return check(value) if check is not None else ""

    def _issue_of_number(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if isinstance(self.default, int) and not isinstance(value, int):
            return "must be a whole number"
        if isinstance(value, float) and not isfinite(value):
            return "must be finite"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return f"must be between {self.low:g} and {self.high:g}"
        return ""


SECRET = "********"  # noqa: S105 - what is shown in the place of one
"""Shown for a secret that is set; sent back, it leaves the secret as it is."""


def issue_of_zone(value: str) -> str:
    """Return what is wrong with a time zone, empty where nothing is."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be a time zone such as UTC or Europe/Vienna"
    return ""


def _issue_of_address(value: str) -> str:
    return issue_of_email(value) if value else ""


_CHECKS = {"general.timezone": issue_of_zone, "notifications.emailAddress": _issue_of_address}
_ALL: Sequence[Setting] = (
    Setting("general.appName", "Lineside", "The name that the console shows."),
    Setting("general.theme", "light", "The console's colours.", choices=("light", "dark", "auto")),
    Setting("general.timezone", "UTC", "The plant's time zone: where its days begin."),
    Setting(
        "training.defaultTimeout",
        300,
        "Seconds that a training may run where it names no limit of its own.",
        low=1,
        high=604_800,
    ),
    Setting(
        "training.defaultModelType",
        "auto",
        "The model type of a training that names none.",
        choices=("auto", "classification", "regression"),
    ),
    Setting(
        "training.autoSaveModels", default=True, description="Whether a training without `save_model` keeps its model."
    ),
    Setting("notifications.emailEnabled", default=False, description="Whether mails are sent."),
    Setting("notifications.emailAddress", "", "Where mails go."),
    Setting("notifications.slackEnabled", default=False, description="Whether Slack is told."),
    Setting("notifications.slackWebhookUrl", "", "Slack's incoming webhook.", is_secret=True),
    Setting("data.autoCleanup", default=True, description="Whether old datasets are deleted each night."),
    Setting(
        "data.retentionDays",
        30,
        "Days after which a dataset that no model was trained on is deleted.",
        low=1,
        high=36_500,
    ),
    Setting("energy.tariff", 0.0, "What one kWh costs.", low=0, high=1_000_000),
    Setting("energy.currency", "EUR", "The currency of the tariff."),
    Setting(
        "alarms.escalateAfterMinutes",
        0,
        "Minutes after which an active alarm that nobody acknowledged gets one step worse; 0: never.",
        low=0,
        high=10_080,
    ),
    Setting(
        "reports.weeklyDay",
        "off",
        "The day on which a health report of the week is written, and mailed where mails are sent.",
        choices=("off", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ),
    Setting("reports.weeklyHour", 6, "The hour of that day, in the plant's time zone.", low=0, high=23),
    Setting(
        "decisions.strict", default=False, description="Whether a decision on a request that is not known is refused."
    ),
    Setting(
        "autonomous.level",
        "suggest",
        "How far models learn by themselves.",
        choices=("off", "suggest", "supervised"),
    ),
    Setting("scaling.approval", default=False, description="Whether people must approve what scaling decides."),
    Setting("webhooks.allowPrivate", default=False, description="Whether webhooks may go to private addresses."),
    Setting("access.keyOverlapHours", 24, "How long a key that was rotated still holds.", low=0, high=720),
)
SETTINGS: Mapping[str, Setting] = {one.key: one for one in _ALL}
"""Every setting that means something to the cloud; sections may hold more, which it keeps for its clients."""
SECTIONS: frozenset[str] = frozenset(key.partition(".")[0] for key in SETTINGS)


def issue_of_setting(key: str, value: object) -> str:
    """Return what is wrong with a setting, known or free, empty where nothing is; key: dotted."""
    known = SETTINGS.get(key)
    if known is not None:
        return known.issue_of(value)
    section, _, name = key.partition(".")
    if section not in SECTIONS:
        return f"there is no section {section[:64]!r}; there are {', '.join(sorted(SECTIONS))}"
    if not _FREE_KEY.fullmatch(name):
        return "the name of a setting is a letter, then letters, digits and underscores, 64 at most"
    return _issue_of_free(value)


def _issue_of_free(value: object) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return "" if len(value) <= MAX_TEXT and value.isprintable() else f"at most {MAX_TEXT} printable characters"
    if isinstance(value, int):
        return "" if abs(value) < 1 << 53 else "must be below 2^53"
    if isinstance(value, float):
        return "" if isfinite(value) else "must be finite"
    return "must be a text, a number, true or false"
