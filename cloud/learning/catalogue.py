"""Catalogue: what algorithms there are and what may be set of each, as readers of the API see it; never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cloud.domain.algorithm_names import ALIASES
from cloud.learning.algorithm import Settings
from cloud.learning.algorithms import ALGORITHMS


@dataclass(frozen=True, slots=True)
class AlgorithmFacts:
    """One algorithm; parameters: by name the JSON schema of each, with default and bounds."""

    name: str
    task: str
    summary: str
    aliases: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]


@cache
def catalogue() -> tuple[AlgorithmFacts, ...]:
    """Return all algorithms in order of their names."""
    return tuple(
        AlgorithmFacts(
            name=name,
            task=ALGORITHMS[name].task.value,
            summary=ALGORITHMS[name].summary,
            aliases=tuple(alias for alias, own in ALIASES.items() if own == name),
            parameters=_parameters(ALGORITHMS[name].settings),
        )
        for name in sorted(ALGORITHMS)
    )


def _parameters(settings: type[Settings]) -> Mapping[str, Mapping[str, Any]]:
    schema = settings.model_json_schema()
    shared: Mapping[str, Any] = schema.get("$defs", {})
    fields: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return {
        name: {
            key: shared.get(f"{value}".rpartition("/")[2], value) if key == "$ref" else value
            for key, value in field.items()
            if key != "title"
        }
        for name, field in fields.items()
    }
