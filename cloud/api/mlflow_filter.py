"""Filters of the MLflow-shaped registry: conditions joined by AND, such as `name LIKE 'pump%' and metrics.f1 > 0.9`."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import translate

from cloud.errors import Malformed

Facts = Mapping[str, object]
"""What is known of one thing, by the names that filters use."""
_MOST = 20
_CONDITION = re.compile(
    r"""\s*(?P<key>[A-Za-z_]\w*(?:\.(?:[\w-]+|`[^`]+`))?)\s*(?P<operator>!=|>=|<=|=|>|<|I?LIKE)\s*"""
    r"""(?P<value>'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*""",
    re.IGNORECASE,
)
_AND = re.compile(r"AND\s", re.IGNORECASE)
_NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: the value of a key against a text or a number."""

    key: str
    operator: str
    value: str | float

    def holds(self, facts: Facts) -> bool:
        """Return whether it is so; what is not known meets no condition."""
        known = facts.get(self.key)
        if known is None:
            return False
        if isinstance(self.value, float):
            return isinstance(known, int | float) and _NUMBERS[self.operator](float(known), self.value)
        match self.operator:
            case "=":
                return str(known) == self.value
            case "!=":
                return str(known) != self.value
            case "LIKE":
                return _like(self.value).fullmatch(str(known)) is not None
            case _:
                return _like(self.value.lower()).fullmatch(str(known).lower()) is not None


def parse_filter(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a filter; raise Malformed that quotes what cannot be read."""
    conditions: list[Condition] = []
    at = 0
    while text[at:].strip():
        if conditions:
            joint = _AND.match(text, at)
            if joint is None:
                raise _unreadable(text[at:])
            at = joint.end()
        found = _CONDITION.match(text, at)
        if found is None or len(conditions) == _MOST:
            raise _unreadable(text[at:])
        conditions.append(_condition(found["key"], found["operator"].upper(), found["value"]))
        at = found.end()
    return tuple(conditions)


def _condition(key: str, sign: str, value: str) -> Condition:
    key = re.sub(r"^(attributes?|attr|run)\.", "", key).replace("`", "")
    key = re.sub(r"^(metric|param|tag)\.", r"\1s.", re.sub(r"^parameters?\.", "params.", key))
    if value[0] not in "'\"":
        if sign.endswith("LIKE"):
            raise _unreadable(f"{sign} {value}")
        return Condition(key, sign, float(value))
    if sign not in ("=", "!=", "LIKE", "ILIKE"):
        raise _unreadable(f"{sign} {value}")
    return Condition(key, sign, value[1:-1])


def _like(pattern: str) -> re.Pattern[str]:
    escaped = re.sub(r"([\[\]*?])", r"[\1]", pattern)
    return re.compile(translate(escaped.replace("%", "*").replace("_", "?")))


def _unreadable(text: str) -> Malformed:
    return Malformed(f"filter: cannot read {text[:80]!r}", code="INVALID_PARAMETER_VALUE")
