"""The trial of a package: what is not right is refused by name, and what crashes or loops only ends the child."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge_agent.models.child import Children, ErrandFailed
from edge_agent.models.errand import Errand, Reason, TrialErrand, Tried
from edge_agent.models.trial import attempt
from protocols.package import Package
from tests.support.bad_networks import in_floats, looping, slow, with_operator
from tests.support.packages import CHANNELS, make_package, with_network

CUSTOM = 32


@pytest.fixture(scope="module")
def good() -> Package:
    return make_package("pump", 3)


class Bench:
    """Tries packages, here or in a child; each in a file of its own."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "pump.lsp"

    def errand(self, package: Package | bytes, *, deadline_ms: float = 1000, limit_s: float = 20) -> TrialErrand:
        self._file.write_bytes(package if isinstance(package, bytes) else package.pack())
        return TrialErrand(
            file=str(self._file), name="pump", version=3, channels=CHANNELS, deadline_ms=deadline_ms, limit_s=limit_s
        )

    def tried(self, package: Package | bytes, *, deadline_ms: float = 1000) -> Tried:
        return attempt(self.errand(package, deadline_ms=deadline_ms))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def with_scoring(package: Package, **changes: object) -> Package:
    scoring = msgspec.structs.replace(package.card.scoring, **changes)
    return Package(msgspec.structs.replace(package.card, scoring=scoring), package.network)


def with_self_test(package: Package, **changes: object) -> Package:
    test = msgspec.structs.replace(package.card.self_test, **changes)
    return Package(msgspec.structs.replace(package.card, self_test=test), package.network)


def with_one_channel_more(package: Package) -> Package:
    return with_network(package, make_package("pump", 3, (*CHANNELS, "power")).network)


def test_a_good_package_is_taken_and_measured(bench: Bench, good: Package) -> None:
    tried = bench.tried(good)
    assert (tried.reason, tried.detail) == (None, "")
    assert tried.row_us > 0 < tried.batched_us
    assert tried.worst <= good.card.self_test.tolerance
    assert (tried.network_bytes, tried.runtime) == (len(good.network), "ai_edge_litert")


NETWORKS: list[tuple[Reason, Callable[[Package], Package]]] = [
    (Reason.NOT_INT8, lambda good: with_network(good, in_floats(good.network))),
    (Reason.WRONG_INPUTS, with_one_channel_more),
    (Reason.OPERATOR, lambda good: with_network(good, with_operator(good.network, CUSTOM))),
    (Reason.OPERATOR, lambda good: with_network(good, looping(good.network))),
    (Reason.NOT_LOADABLE, lambda good: with_network(good, good.network[: len(good.network) // 2])),
    (Reason.NOT_LOADABLE, lambda good: with_network(good, b"")),
    (Reason.NOT_LOADABLE, lambda good: with_network(good, b"\xff" * 700)),
]
CARDS: list[tuple[Reason, Callable[[Package], Package]]] = [
    (Reason.MISLABELLED, lambda good: Package(msgspec.structs.replace(good.card, version=4), good.network)),
    (Reason.MISLABELLED, lambda good: Package(msgspec.structs.replace(good.card, name="fan"), good.network)),
    (Reason.WRONG_CHANNELS, lambda good: with_scoring(good, channels=("flow", "pressure", "colour"))),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, channels=("flow", "flow", "pressure"))),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, width=(1.0, 1.0, 0.0))),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, center=(1.0,))),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, spans=())),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, axes=(1.0, 2.0))),
    (Reason.WRONG_SCORING, lambda good: with_scoring(good, spans=(1_000_000,))),
    (Reason.SELF_TEST, lambda good: with_self_test(good, scores=(0.99,) * 20)),
    (Reason.SELF_TEST, lambda good: with_self_test(good, scores=())),
    (Reason.SELF_TEST, lambda good: with_self_test(good, rows=good.card.self_test.rows[:2], scores=(0.5,))),
]


@pytest.mark.parametrize(("reason", "spoil"), [*NETWORKS, *CARDS])
def test_what_is_not_right_is_refused_by_name(
    bench: Bench, good: Package, reason: Reason, spoil: Callable[[Package], Package]
) -> None:
    tried = bench.tried(spoil(good))
    assert (tried.reason, tried.detail != "") == (reason, True)


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        (Reason.TRUNCATED, lambda data: data[:-1]),
        (Reason.TRUNCATED, lambda data: data[:6]),
        (Reason.MALFORMED, lambda data: b"GIF8" + data[4:]),
        (Reason.MALFORMED, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        (Reason.OVERSIZED, lambda data: data + bytes(18 * 2**20)),
    ],
)
def test_a_damaged_file_is_refused_by_name(
    bench: Bench, good: Package, reason: Reason, spoil: Callable[[bytes], bytes]
) -> None:
    assert bench.tried(spoil(good.pack())).reason is reason


def test_a_network_that_takes_too_long_for_a_row_is_refused(bench: Bench, good: Package) -> None:
    n_features = len(CHANNELS) * len(good.card.scoring.spans)
    tried = bench.tried(with_network(good, slow(n_features)), deadline_ms=0.5)
    assert tried.reason is Reason.TOO_SLOW


async def test_a_child_tries_as_we_do(bench: Bench, good: Package) -> None:
    tried = await Children(os.environ).send("edge_agent.models.trial", bench.errand(good), Tried)
    assert (tried.reason, tried.network_bytes) == (None, len(good.network))


CHILD = "tests.support.bad_child"


async def ended(errand: Errand, environment: dict[str, str] | None = None) -> ErrandFailed:
    with pytest.raises(ErrandFailed) as failed:
        await Children({**os.environ, **(environment or {})}).send(CHILD, errand, Tried)
    return failed.value


async def test_a_network_that_loops_is_stopped_with_its_child(bench: Bench, good: Package) -> None:
    failed = await ended(bench.errand(with_network(good, looping(good.network)), limit_s=2))
    assert (failed.reason, failed.detail) == (Reason.TIMED_OUT, "not done within 2 s")


async def test_a_crash_only_ends_the_child(bench: Bench) -> None:
    failed = await ended(bench.errand(b"crash"))
    assert (failed.reason, failed.detail) == (Reason.CRASHED, "ended by signal 11")


async def test_a_child_that_wants_too_much_memory_ends(bench: Bench) -> None:
    failed = await ended(bench.errand(b"memory"))
    assert failed.reason is Reason.CRASHED
    assert "MemoryError" in failed.detail


async def test_a_child_that_talks_without_end_ends(bench: Bench) -> None:
    failed = await ended(bench.errand(b"talk", limit_s=2))
    assert failed.reason is Reason.TIMED_OUT


async def test_a_child_gets_no_secret_of_the_environment(bench: Bench) -> None:
    failed = await ended(bench.errand(b"environment"), {"GATEWAY_KEY": "secret"})
    assert "PATH" in failed.detail
    assert "GATEWAY_KEY" not in failed.detail
