"""AlarmRuleRow: the rules that the cloud watches."""

from dataclasses import asdict, fields

from sqlalchemy import Float, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.alarm import Severity
from cloud.domain.alarm_rule import AlarmRule, RuleKind
from cloud.records.base import Base

_FIELDS = tuple(one.name for one in fields(AlarmRule) if one.name != "id")


class AlarmRuleRow(Base):
    """One rule."""

    __tablename__ = "alarm_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    tag: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(20))
    high: Mapped[float | None] = mapped_column(Float)
    low: Mapped[float | None] = mapped_column(Float)
    hysteresis: Mapped[float] = mapped_column(Float)
    delay_on_s: Mapped[float] = mapped_column(Float)
    delay_off_s: Mapped[float] = mapped_column(Float)
    is_enabled: Mapped[bool]


def list_rules(session: Session) -> list[AlarmRule]:
    """Return all rules in order of their making."""
    return [_rule(row) for row in session.scalars(select(AlarmRuleRow).order_by(AlarmRuleRow.id))]


def find_rule(session: Session, number: int) -> AlarmRule | None:
    """Return one rule."""
    row = session.get(AlarmRuleRow, number)
    return None if row is None else _rule(row)


def has_rule_named(session: Session, name: str) -> bool:
    """Return whether a rule of this name is there."""
    return session.scalar(select(AlarmRuleRow.id).where(AlarmRuleRow.name == name)) is not None


def put_rule(session: Session, rule: AlarmRule) -> AlarmRule:
    """Return the rule as it is kept: a new one with its number, a changed one in the place of the old."""
    row = session.get(AlarmRuleRow, rule.id) if rule.id else None
    if row is None:
        row = AlarmRuleRow()
        session.add(row)
    values = asdict(rule) | {"kind": rule.kind.value, "severity": rule.severity.value}
    for name in _FIELDS:
        setattr(row, name, values[name])
    session.flush()
    return _rule(row)


def delete_rule(session: Session, number: int) -> None:
    """Forget one rule."""
    row = session.get(AlarmRuleRow, number)
    if row is not None:
        session.delete(row)


def _rule(row: AlarmRuleRow) -> AlarmRule:
    values = {name: getattr(row, name) for name in _FIELDS}
    values |= {"kind": RuleKind(row.kind), "severity": Severity(row.severity)}
    return AlarmRule(id=row.id, **values)
