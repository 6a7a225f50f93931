"""AlarmChange: something that a person does with alarms, one by one or with many at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cloud.domain.alarm import Alarm, Seen
from cloud.domain.alarm_news import ACKNOWLEDGED
from cloud.errors import Invalid

MAX_COMMENT = 2000
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """What becomes of an alarm; action: as the audit calls it, comment: written beside it."""

    action: str
    by: str
    apply: Callable[[Alarm], Alarm]
    comment: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


def acknowledging(seen: Seen, comment: str = "") -> AlarmChange:
    """Mark it as seen."""
    return AlarmChange(ACKNOWLEDGED, seen.by, lambda alarm: alarm.acknowledge(seen), _checked(comment))


def shelving(placed: Seen, *, for_s: float, is_one_shot: bool = False) -> AlarmChange:
    """Put it out of sight for so long."""
    _checked(placed.why)

    def apply(alarm: Alarm) -> Alarm:
        return alarm.shelve(placed, for_s=for_s, is_one_shot=is_one_shot)

    return AlarmChange("alarm.shelve", placed.by, apply, details={"for_s": for_s, "why": placed.why})


def unshelving(by: str) -> AlarmChange:
    """Bring it back into sight."""
    return AlarmChange("alarm.unshelve", by, Alarm.unshelve)


def clearing(seen: Seen, comment: str = "") -> AlarmChange:
    """Declare its condition over, which is seen with it."""
    return AlarmChange(
        "alarm.clear", seen.by, lambda alarm: alarm.clear(seen.at_us).acknowledge(seen), _checked(comment)
    )


def removing(removed: Seen) -> AlarmChange:
    """Take it out of service."""
    _checked(removed.why)
    details = {"why": removed.why}
    return AlarmChange(
        "alarm.out_of_service", removed.by, lambda alarm: alarm.take_out_of_service(removed), details=details
    )


def returning(by: str) -> AlarmChange:
    """Bring it back into service."""
    return AlarmChange("alarm.return_to_service", by, Alarm.return_to_service)


def assigning(by: str, to: str) -> AlarmChange:
    """Put it into somebody's hands, or with an empty name into nobody's; raise Invalid."""
    if len(to) > MAX_NAME:
        raise invalid_change("to", f"has more than {MAX_NAME} characters")
    return AlarmChange("alarm.assign", by, lambda alarm: alarm.assign(to), details={"to": to})


def commenting(by: str, text: str) -> AlarmChange:
    """Write something beside it; raise Invalid."""
    if not text.strip():
        raise invalid_change("comment", "must not be empty")
    return AlarmChange("alarm.comment", by, lambda alarm: alarm, _checked(text))


def invalid_change(field_name: str, issue: str) -> Invalid:
    """Return the refusal of a change, by its field."""
    details: dict[str, object] = {"field": field_name, "issue": issue}
    return Invalid(f"{field_name}: {issue}", code="INVALID_ALARM_CHANGE", details=details)


def _checked(text: str) -> str:
    if len(text) > MAX_COMMENT:
        raise invalid_change("comment", f"has {len(text)} characters, {MAX_COMMENT} are allowed")
    return text
