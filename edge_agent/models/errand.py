"""Errands: what a child process is sent for and what it brings back, one JSON document each way.

Fetching needs libraries that the agent must not carry, and a model file may crash or stop whoever runs it: both are
done by a child that may take so long, so much memory, and no longer than its parent lives.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec

MAX_ERRAND_BYTES = 4 * 1024 * 1024
MAX_ANSWER_BYTES = 256 * 1024
_GRACE_S = 5
_NICENESS = 10


class Reason(StrEnum):
    """Why a package is not taken, or no longer serves, in words that do not change."""

    TAMPERED = "tampered"
    """A signature or a hash does not hold."""
    EXPIRED = "expired"
    """The signatures were for a time that is over."""
    OLDER = "older"
    """The repository shows something older than this gateway has seen."""
    FOREIGN = "foreign"
    """Signed, but by nobody whom the pinned root trusts."""
    TRUNCATED = "truncated"
    OVERSIZED = "oversized"
    NOT_FOUND = "not_found"
    """The signatures name no such package."""
    DENIED = "denied"
    """The cloud does not take the key."""
    NO_ROOT = "no_root"
    """The pinned root of trust cannot be read or is none."""
    UNREACHABLE = "unreachable"
    """No answer, or one that broke off: no refusal, it is tried again."""
    DISK = "disk"
    """This machine could not write; it is tried again."""

    MALFORMED = "malformed"
    MISLABELLED = "mislabelled"
    """The package is of another model or version than its path says."""
    WRONG_CHANNELS = "wrong_channels"
    WRONG_SCORING = "wrong_scoring"
    NOT_INT8 = "not_int8"
    WRONG_INPUTS = "wrong_inputs"
    WRONG_OUTPUTS = "wrong_outputs"
    OPERATOR = "operator"
    """The network holds an operator that no model of ours needs."""
    NOT_LOADABLE = "not_loadable"
    SELF_TEST = "self_test"
    TOO_SLOW = "too_slow"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"

    NO_SUCH_DEVICE = "no_such_device"
    """The gateway has no such Device, or does not judge it."""
    FAILED_IN_SHADOW = "failed_in_shadow"
    FAILED = "failed"
    """It served, and failed or was late too often in a row."""
    OPERATOR_ASKED = "operator_asked"
    """A person on the gateway went back."""
    NOT_WANTED = "not_wanted"
    """The cloud went back."""

    @property
    def may_pass(self) -> bool:
        """Return whether the same package may be taken later, because the repository or this machine was at fault."""
        return self in _PASSING


_PASSING = frozenset(
    {
        Reason.TAMPERED,
        Reason.EXPIRED,
        Reason.OLDER,
        Reason.FOREIGN,
        Reason.TRUNCATED,
        Reason.OVERSIZED,
        Reason.NOT_FOUND,
        Reason.DENIED,
        Reason.NO_ROOT,
        Reason.UNREACHABLE,
        Reason.DISK,
    }
)


class FetchErrand(msgspec.Struct, frozen=True, kw_only=True):
    """Packages to fetch into `directory`; url: of the cloud; root: the pinned root's file; limit_s: for all."""

    directory: str
    url: str
    root: str
    key: str
    paths: tuple[str, ...]
    limit_s: float


class Fetched(msgspec.Struct, frozen=True):
    """How one package was fetched; file: where it lies, empty where it does not; detail: for people."""

    path: str
    file: str = ""
    sha256: str = ""
    reason: Reason | None = None
    detail: str = ""


class TrialErrand(msgspec.Struct, frozen=True, kw_only=True):
    """A package to try; channels: Tags that the Device is judged by; deadline_ms: what a row may take."""

    file: str
    name: str
    version: int
    channels: tuple[str, ...]
    deadline_ms: float
    limit_s: float


class Tried(msgspec.Struct, frozen=True):
    """How a trial came out; row_us, batched_us: a row's time alone and in a batch; worst: farthest self-test score.

    resident_bytes: what runtime and model keep in memory together.
    """

    reason: Reason | None = None
    detail: str = ""
    row_us: float = 0.0
    batched_us: float = 0.0
    worst: float = 0.0
    network_bytes: int = 0
    resident_bytes: int = 0
    runtime: str = ""


class FetchAnswer(msgspec.Struct, frozen=True):
    """What a fetching child brings back, a Fetched for each path."""

    found: tuple[Fetched, ...]


Errand = FetchErrand | TrialErrand
Errand_ = TypeVar("Errand_", FetchErrand, TrialErrand)
Answer = TypeVar("Answer", FetchAnswer, Tried)


def run_errand(form: type[Errand_], act: Callable[[Errand_], FetchAnswer | Tried], *, memory_bytes: int) -> None:
    """Do what standard input asks and say on standard output how it went: the whole of a child's life.

    The kernel ends it soon after its limit, also where its parent is gone or native code never returns.
    """
    errand = msgspec.json.decode(sys.stdin.buffer.read(MAX_ERRAND_BYTES), type=form)
    signal.alarm(int(errand.limit_s) + _GRACE_S)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)  # what a library prints is no answer
        answer.write(msgspec.json.encode(act(errand)) + b"\n")
