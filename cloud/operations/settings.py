"""LiveSettings: what administrators change while the cloud runs; each change is checked whole and written down."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.setting import MAX_FREE, SECRET, SETTINGS, Value, issue_of_setting
from cloud.domain.times import to_datetime
from cloud.errors import Invalid
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.settings import changed_settings, keep_setting

Sections = Mapping[str, Mapping[str, Value]]


class LiveSettings:
    """The settings of one installation; blocking, and safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def read(self) -> Sections:
        """Return all settings by section, with defaults; secrets are not shown. Raise Unavailable."""
        with self._records.reading() as session:
            return _nested({key: _shown(key, value) for key, value in _merged(session).items()})

    def change(self, wanted: Mapping[str, Mapping[str, object]], *, by: str) -> Sequence[str]:
        """Return which settings were sent, dotted; those that were not stay. Raise Invalid with all findings."""
        sent = dict(_dotted(wanted))
        checked = {key: value for key, value in sent.items() if isinstance(value, bool | int | float | str)}
        findings = {key: issue for key, value in sent.items() if (issue := issue_of_setting(key, value))}
        if findings:
            raise _invalid(findings)
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            before = _merged(session)
            if len({*before, *checked} - set(SETTINGS)) > MAX_FREE:
                raise _invalid(dict.fromkeys([next(iter(checked))], f"there may be {MAX_FREE} settings of your own"))
            changes = {key: value for key, value in checked.items() if _is_change(key, value, before)}
            _keep(session, changes, before, now, by)
        return list(sent)


def _keep(session: Session, changes: Mapping[str, Value], before: Mapping[str, Value], now: datetime, by: str) -> None:
    for key, value in changes.items():
        keep_setting(session, key, value, now, by=by)
        details = {"from": _shown(key, before[key]) if key in before else None, "to": _shown(key, value)}
        add_audit(session, AuditEntry(now, by, "settings.change", key, dict(details)))


def _merged(session: Session) -> dict[str, Value]:
    changed = changed_settings(session)
    known = {
        key: changed[key] if key in changed and not one.issue_of(changed[key]) else one.default
        for key, one in SETTINGS.items()
    }
    return known | {key: value for key, value in changed.items() if key not in SETTINGS}


def _is_change(key: str, value: Value, before: Mapping[str, Value]) -> bool:
    known = SETTINGS.get(key)
    if known is not None and known.is_secret and value == SECRET:
        return False
    return key not in before or (value, type(value)) != (before[key], type(before[key]))


def _dotted(wanted: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, object]]:
    for section, values in wanted.items():
        for name, value in values.items():
            yield f"{section}.{name}", value


def _nested(flat: Mapping[str, Value]) -> Sections:
    sections: dict[str, dict[str, Value]] = {}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = value
    return sections


def _shown(key: str, value: Value) -> Value:
    known = SETTINGS.get(key)
    return SECRET if known is not None and known.is_secret and value else value


def _invalid(findings: Mapping[str, str]) -> Invalid:
    field, issue = next(iter(findings.items()))
    told = "; ".join(f"{key}: {found}" for key, found in list(findings.items())[:20])
    return Invalid(told, code="INVALID_PARAMETERS", details={"field": field, "issue": issue})
