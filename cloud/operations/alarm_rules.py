"""AlarmRules: the rules that the cloud watches, as people make and change them."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from cloud.domain.alarm import Condition
from cloud.domain.alarm_rule import AlarmRule
from cloud.domain.alarm_words import Clear
from cloud.domain.audit import AuditEntry
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, NotFound
from cloud.operations.raising import apply_steps
from cloud.ports import Clock
from cloud.records.alarm_rules import delete_rule, find_rule, has_rule_named, list_rules, put_rule
from cloud.records.audit import add_audit
from cloud.records.database import Records


class AlarmRules:
    """The rules of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def list(self) -> Sequence[AlarmRule]:
        """Return all, in order of their making; raise Unavailable."""
        with self._records.reading() as session:
            return list_rules(session)

    def get(self, number: int) -> AlarmRule:
        """Return one; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            return _there(find_rule(session, number), number)

    def make(self, rule: AlarmRule, *, by: str) -> AlarmRule:
        """Keep a new one; raise Invalid, Conflict where its name is taken, Unavailable."""
        rule.check()
        with self._records.writing() as session:
            if has_rule_named(session, rule.name):
                raise Conflict(f"name: there is a rule {rule.name!r} already", code="RULE_EXISTS")
            kept = put_rule(session, replace(rule, id=0))
            add_audit(session, self._entry(by, "rule.make", kept))
        return kept

    def change(self, number: int, rule: AlarmRule, *, by: str) -> AlarmRule:
        """Put a rule in the place of another; what it raised is cleared where it looks elsewhere or not at all.

        Raises NotFound, Invalid, Conflict, Unavailable.
        """
        rule.check()
        with self._records.writing() as session:
            before = _there(find_rule(session, number), number)
            if rule.name != before.name and has_rule_named(session, rule.name):
                raise Conflict(f"name: there is a rule {rule.name!r} already", code="RULE_EXISTS")
            kept = put_rule(session, replace(rule, id=number))
            if condition_of(kept) != condition_of(before) or not kept.is_enabled:
                apply_steps(session, [Clear(condition_of(before), self._clock.now_us())], by=by)
            add_audit(session, self._entry(by, "rule.change", kept))
        return kept

    def delete(self, number: int, *, by: str) -> None:
        """Forget one, and clear what it raised; raise NotFound, Unavailable."""
        with self._records.writing() as session:
            rule = _there(find_rule(session, number), number)
            apply_steps(session, [Clear(condition_of(rule), self._clock.now_us())], by=by)
            delete_rule(session, number)
            add_audit(session, self._entry(by, "rule.delete", rule))

    def _entry(self, by: str, action: str, rule: AlarmRule) -> AuditEntry:
        return AuditEntry(to_datetime(self._clock.now_us()), by, action, f"rule:{rule.id}", asdict(rule))


def condition_of(rule: AlarmRule) -> Condition:
    """Return what a rule raises."""
    return Condition(rule.source, rule.device, rule.kind.value, rule.name)


def _there(rule: AlarmRule | None, number: int) -> AlarmRule:
    if rule is None:
        raise NotFound(f"there is no alarm rule {number}", code="RULE_NOT_FOUND", details={"id": number})
    return rule
