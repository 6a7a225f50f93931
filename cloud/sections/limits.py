"""How often callers may ask, and where that is counted."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator

from cloud.sections.base import Section

_LIMIT = re.compile(r"[1-9]\d{0,8}/(second|minute|hour)|off")
_REDIS = ("redis://", "rediss://", "unix://", "env:", "file:")


def _check_limit(text: str) -> str:
    if not _LIMIT.fullmatch(text):
        raise ValueError("write a limit as 60/minute, 5/hour or off")
    return text


def _check_redis(text: str) -> str:
    if text and not text.startswith(_REDIS):
        raise ValueError(f"write the URL as one of {', '.join(_REDIS)}")
    return text


class LimitSettings(Section):
    """How often each caller may ask for each operation."""

    profile: Literal["documented", "high", "off"] = "documented"
    """`high` allows a thousand times as much, for benches; `off` counts nothing."""
    routes: Mapping[str, Annotated[str, AfterValidator(_check_limit)]] = {}
    """Other limits by operation id, such as `check_drift: 5/minute`."""


class RedisSettings(Section):
    """Redis, where several hosts serve one API."""

    url: Annotated[str, AfterValidator(_check_redis)] = ""
    """`redis://host:6379/0`, `env:NAME` or `file:PATH`; empty: callers are counted in a file of the data directory."""
