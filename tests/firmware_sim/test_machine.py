"""Machines: the same from the same seed, correlated, and disturbed by exactly what their faults say."""

from itertools import islice, pairwise
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.faults import EFFECTS, Fault, FaultKind, allowed_kinds, labelled_channel
from firmware_sim.machine import Machine, Turn
from firmware_sim.plant import RandomFaults
from firmware_sim.random_faults import draw_faults
from firmware_sim.signals import NOISE_MEMORY_S, Noise
from firmware_sim.sources import KINDS, Simulation
from firmware_sim.tags import Tag
from protocols.tag import DataType

PERIOD_S = 0.1


def machine_of(kind: str, *, seed: int = 1, turns: list[Turn] | None = None) -> Machine:
    source = Simulation(kind, seed=f"{seed}/m", period_s=PERIOD_S)
    heard: list[Turn] = [] if turns is None else turns
    return Machine("m", source, [Tag(name, name, DataType.FLOAT64) for name in source.channels], heard.append)


def run(machine: Machine, ticks: int) -> dict[str, NDArray[np.float64]]:
    """Return the columns of so many rows, each of shape (ticks,)."""
    rows = []
    for tick in range(ticks):
        machine.step(tick * 100_000)
        rows.append(machine.row.served)
    return dict(zip((tag.name for tag in machine.tags), np.array(rows, dtype=np.float64).T, strict=True))


def fault_of(kind: FaultKind, channel: str, *, at: int = 11, ticks: int = 20, sigma: float = 7.0) -> Fault:
    return Fault(1, "m", kind, channel, sigma, at, ticks)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_rows_and_another_gives_others(kind: str) -> None:
    first, again, other = (run(machine_of(kind, seed=seed), 50) for seed in (1, 1, 2))
    for name in KINDS[kind]:
        assert np.array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


@pytest.mark.parametrize("kind", KINDS)
def test_channels_move_together_because_one_load_drives_them(kind: str) -> None:
    columns = run(machine_of(kind), 6000)
    fast = [name for name, channel in KINDS[kind].items() if channel.lag_s <= 1]
    correlation = np.corrcoef([columns[name] for name in fast])
    assert np.abs(correlation).min() > 0.6


def test_the_noise_has_the_stated_deviation_and_remembers() -> None:
    source = Noise(Random(4), PERIOD_S)
    noise = np.array([source.next() for _ in range(20_000)])
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(np.exp(-PERIOD_S / NOISE_MEMORY_S), abs=0.03)


def test_heat_follows_the_load_later_than_current_does() -> None:
    columns = run(machine_of("pump"), 6000)
    centred = {name: columns[name] - columns[name].mean() for name in ("current", "temperature")}
    lags = [float((centred["current"][:5000] * centred["temperature"][lag : 5000 + lag]).mean()) for lag in range(300)]
    assert int(np.argmax(lags)) > 20


@pytest.mark.parametrize(
    ("kind", "fault"),
    [(kind, fault) for kind in KINDS for fault in allowed_kinds(KINDS[kind]) if not fault.is_of_a_sensor],
)
def test_a_fault_of_the_machine_moves_its_labelled_channel_by_its_sigmas(kind: str, fault: FaultKind) -> None:
    sound, ill = machine_of(kind), machine_of(kind)
    channel = labelled_channel(fault, None, KINDS[kind])
    ill.schedule(fault_of(fault, channel))
    moved = (run(ill, 40)[channel] - run(sound, 40)[channel]) / KINDS[kind][channel].sigma
    assert np.allclose(moved[:10], 0, atol=1e-9)
    assert moved[29] == pytest.approx(7.0 * EFFECTS[fault][0].gain)
    assert np.allclose(moved[30:], 0, atol=1e-9)


def test_each_fault_of_a_sensor_does_what_its_name_says() -> None:
    sound = run(machine_of("pump"), 40)["flow"]
    shown = {}
    for kind in (FaultKind.STUCK, FaultKind.SPIKE, FaultKind.DRIFT, FaultKind.DROPOUT):
        machine = machine_of("pump")
        machine.schedule(fault_of(kind, "flow"))
        shown[kind] = run(machine, 40)["flow"]
    sigma = KINDS["pump"]["flow"].sigma
    window = slice(10, 30)
    assert set(shown[FaultKind.STUCK][window]) == {sound[10]}
    assert set(shown[FaultKind.DROPOUT][window]) == {0.0}
    spikes = (shown[FaultKind.SPIKE] - sound)[window] / sigma
    assert np.allclose(spikes, [7.0 if index % 5 == 0 else 0.0 for index in range(20)])
    drift = (shown[FaultKind.DRIFT] - sound)[window] / sigma
    assert np.allclose(drift, 7.0 * np.arange(1, 21) / 20)
    for values in shown.values():
        assert np.array_equal(values[30:], sound[30:])


def test_the_begin_and_the_end_of_a_fault_are_told_with_their_rows() -> None:
    turns: list[Turn] = []
    machine = machine_of("pump", turns=turns)
    machine.schedule(fault_of(FaultKind.LEAK, "pressure"))
    run(machine, 40)
    assert [(turn.is_on, turn.row, turn.at_us) for turn in turns] == [(True, 11, 1_000_000), (False, 31, 3_000_000)]


def test_faults_drawn_from_a_seed_are_the_same_and_do_not_overlap() -> None:
    def draw(seed: int) -> list[tuple[int, int, str, str]]:
        faults = draw_faults(RandomFaults(), machine_of("motor"), Random(seed), lambda: 1)
        return [(fault.at_tick, fault.ticks, fault.kind, fault.channel) for fault in islice(faults, 50)]

    first = draw(1)
    assert first == draw(1)
    assert first != draw(2)
    assert all(at + ticks <= later + 1 for (at, ticks, _, _), (later, *_) in pairwise(first))


def test_a_drawn_fault_is_followed_by_the_next() -> None:
    turns: list[Turn] = []
    machine = machine_of("motor", turns=turns)
    begins = ((1, 3), (2, 20))
    machine.draw_from(Fault(n, "m", FaultKind.DRIFT, "torque", 5, at, 5, is_drawn=True) for n, at in begins)
    run(machine, 40)
    assert [(turn.fault.id, turn.is_on) for turn in turns] == [(1, True), (1, False), (2, True), (2, False)]


def test_the_end_of_a_source_keeps_the_last_row() -> None:
    class Short(Simulation):
        def next(self) -> dict[str, float | int | bool | str] | None:  # type: ignore[override]
            return dict(super().next()) if machine.tick < 3 else None

    source = Short("pump", seed="1", period_s=PERIOD_S)
    machine = Machine("m", source, [Tag("flow", "flow", DataType.FLOAT64)], lambda _: None)
    assert [machine.step(0) for _ in range(5)] == [True, True, True, False, False]
    assert machine.row.number == 3
