"""Plant files: what is right loads, what is wrong is named with file, key and what is allowed."""

from pathlib import Path

import pytest

from firmware_sim.clock import SystemClock
from firmware_sim.errors import InvalidPlant
from firmware_sim.plant import load_plant
from firmware_sim.wiring import build

PLANTS = Path(__file__).parents[2] / "firmware_sim" / "plants"
GOOD = """\
plant: small
servers:
  - {id: line, protocol: modbus-tcp}
  - {id: cell, protocol: opcua}
machines:
  - {id: pump-1, type: pump, server: line}
  - {id: oven-1, type: oven, server: cell}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "plant.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(PLANTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_plant_that_comes_with_it_can_be_built(path: Path, tmp_path: Path) -> None:
    plant = load_plant(path)
    works = build(plant, folder=PLANTS, truth_path=tmp_path / "t", certificates=tmp_path, clock=SystemClock())
    works.truth.close()
    assert all(len(machine.tags) >= 6 for machine in works.machines.values())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("type: pump", "machines[0].type: Input should be 'pump', 'motor', 'conveyor', 'oven'"),
        (
            "type: pump, periode_s: 1",
            "machines[0]: unknown key 'periode_s' (did you mean period_s?); allowed: id,",
        ),
        ("type: pump, period_s: 0", "machines[0].period_s: Input should be greater than 0.001, not 0"),
        ("type: pump, unit: 256", "machines[0].unit: Input should be less than or equal to 255, not 256"),
        ("type: pump, server: lin", "machines[0].server: no server 'lin'; allowed: line, cell"),
        ("type: pump, recording: x.csv", "machines[0]: recording: needed for type replay, and for no other"),
        ("type: replay", "machines[0]: recording: needed for type replay"),
        (
            "type: pump, tags: [{name: heat}]",
            "machines[0]: tags: a pump has no channel 'heat'; allowed: flow",
        ),
        ("type: pump, tags: [{name: flow}, {name: flow}]", "machines[0]: tags: flow is given twice"),
        ("type: pump, tags: [{name: flow, scale: 0}]", "machines[0].tags[0]: scale: 0 would make every value"),
        ("type: pump, tags: [{name: state, type: string, scale: 2}]", "a string cannot be scaled"),
        ("type: pump, tags: [{name: flow, table: coil, type: int16}]", "a coil holds single bits, not a int16"),
        ("type: pump, tags: [{name: flow, type: int15}]", "machines[0].tags[0].type: Input should be 'bool', 'int16'"),
    ],
)
def test_a_wrong_machine_is_named_with_its_key(tmp_path: Path, wrong: str, message: str) -> None:
    replaced = "type: pmp" if wrong == "type: pump" else wrong
    path = write(
        tmp_path,
        GOOD.replace(
            "type: pump, server: line",
            f"server: line, {replaced}".replace("server: line, type: pump, server: lin", "type: pump, server: lin"),
        ),
    )
    with pytest.raises(InvalidPlant) as caught:
        load_plant(path)
    assert f"{path}: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("faults: [{machine: x, kind: leak, at_s: 1, for_s: 1}]", "faults[0].machine: no machine 'x'; allowed: pump-1"),
        ("faults: [{machine: oven-1, kind: cavitation, at_s: 1, for_s: 1}]", "cannot have cavitation; allowed: stuck"),
        ("faults: [{machine: pump-1, kind: stuck, at_s: 1, for_s: 1}]", "faults[0].channel: stuck needs one of flow"),
        ("faults: [{machine: pump-1, kind: leak, channel: flow, at_s: 1, for_s: 1}]", "leak shows in pressure"),
        ("faults: [{machine: pump-1, kind: melt, at_s: 1, for_s: 1}]", "faults[0].kind: Input should be 'stuck'"),
        ("mischief: [{kind: silence, at_s: 1, machine: x}]", "mischief[0].machine: no machine 'x'"),
        ("mischief: [{kind: silence, at_s: -1}]", "mischief[0].at_s: Input should be greater than or equal to 0"),
        ("control: {port: 70000}", "control.port: Input should be less than or equal to 65535"),
        ("colour: red", "unknown key 'colour'; allowed: plant, seed, servers"),
        ("plant: [", ":9:1: not YAML"),
    ],
)
def test_what_is_wrong_elsewhere_is_named_too(tmp_path: Path, more: str, message: str) -> None:
    path = write(tmp_path, GOOD + more + "\n")
    with pytest.raises(InvalidPlant) as caught:
        load_plant(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: oven-1", "id: pump-1", "machines: pump-1 is given twice"),
        ("type: oven, server: cell", "type: oven, server: line", "machines: server and unit: line 1 is given twice"),
        ("id: cell", "id: line", "servers: line is given twice"),
        ("protocol: opcua", "protocol: opcua, security: [Basic128]", "servers[1].security[0]: Input should be 'None'"),
        ("protocol: opcua", "protocol: opcua, certificate: x.pem", "certificate, key: one is useless without"),
        ("protocol: opcua", "protocol: profibus", "servers[1]: Input tag 'profibus' found using 'protocol' does not"),
    ],
)
def test_servers_and_machines_must_fit_together(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidPlant) as caught:
        load_plant(write(tmp_path, GOOD.replace(old, new)))
    assert message in str(caught.value)


def test_every_error_is_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("type: pump", "type: pmp").replace("type: oven", "type: ovn")
    with pytest.raises(InvalidPlant) as caught:
        load_plant(write(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["", "[]", "3"])
def test_a_file_without_keys_says_which_are_allowed(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidPlant, match="must hold keys; allowed: plant, seed"):
        load_plant(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlant, match=r"none\.yaml: cannot be read"):
        load_plant(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ("{name: flow, address: 0}, {name: speed, address: 1}", "tags flow and speed both lie at holding 1"),
        ("{name: flow, type: float64, address: 65533}", "tag flow goes beyond address 65535"),
    ],
)
def test_tags_that_collide_are_named_when_the_plant_is_built(tmp_path: Path, tags: str, message: str) -> None:
    plant = load_plant(write(tmp_path, GOOD.replace("type: pump", f"type: pump, tags: [{tags}]")))
    with pytest.raises(InvalidPlant, match=message):
        build(plant, folder=tmp_path, truth_path=tmp_path / "t", certificates=tmp_path, clock=SystemClock())


def test_a_mischief_that_nobody_can_do_is_named_when_the_plant_is_built(tmp_path: Path) -> None:
    text = GOOD + "mischief: [{kind: garbage, at_s: 1, machine: oven-1}]\n"
    plant = load_plant(write(tmp_path, text))
    with pytest.raises(InvalidPlant, match=r"mischief\[0\].kind: garbage: oven-1 cannot do that"):
        build(plant, folder=tmp_path, truth_path=tmp_path / "t", certificates=tmp_path, clock=SystemClock())


def test_bits_may_share_a_register(tmp_path: Path) -> None:
    tags = (
        "{name: a, channel: running, type: bool, bit: 0, address: 4}, {name: b, channel: running, bit: 9, address: 4}"
    )
    plant = load_plant(write(tmp_path, GOOD.replace("type: pump", f"type: pump, tags: [{tags}]")))
    works = build(plant, folder=tmp_path, truth_path=tmp_path / "t", certificates=tmp_path, clock=SystemClock())
    works.truth.close()
    assert [(tag.name, tag.address, tag.bit) for tag in works.machines["pump-1"].tags] == [
        ("a", 4, 0),
        ("b", 4, 9),
        ("sequence", 5, None),
    ]
