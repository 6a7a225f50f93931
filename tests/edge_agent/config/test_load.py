"""A right configuration becomes the settings it says, secrets and paths resolved; whatever else gives findings only."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.config.detect import DetectSettings
from edge_agent.config.devices import ModbusDevice, OpcuaDevice
from edge_agent.config.load import load, schema_text
from edge_agent.errors import Finding, InvalidConfig
from protocols.tag import DataType

ENVIRONMENT = {"MQTT_PASSWORD": "geheim"}
WHOLE = """\
gateway: gw-1
buffer: {path: data/buffer.db, max_size_mib: 64, max_unsealed_s: 1e-2}
uplink: {host: broker.example, port: 8883, username: edge, password: env:MQTT_PASSWORD, tls: {}}
watch: {port: 9500, log_level: debug}
devices:
  - &pump
    id: pump-1
    protocol: modbus
    url: tcp://127.0.0.1:5020
    period_s: 0.5
    tags: &tags
      - {name: flow, address: 0x10, type: int16, scale: 0.1, unit: l/min, range: [0, 100], deadband: 0.5}
      - {name: open, table: coil, address: 1, type: bool}
  - {<<: *pump, id: pump-2, unit: 2}
  - id: oven-1
    protocol: opcua
    url: opc.tcp://127.0.0.1:4840
    tags:
      - {name: temperature, node: "ns=2;s=oven-1.temperature", unit: degC}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "agent.yaml"
    path.write_text(text)
    return path


def outcome(path: Path) -> tuple[Finding, ...]:
    try:
        load(path, ENVIRONMENT)
    except InvalidConfig as error:
        return error.findings or (Finding(str(path), 0, 0, "", ""),)
    return ()


def test_a_whole_configuration_loads(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, WHOLE), ENVIRONMENT)
    assert loaded.gateway == "gw-1"
    assert loaded.buffer.path == tmp_path / "data/buffer.db"
    assert loaded.buffer.max_unsealed_s == 0.01
    assert loaded.uplink.password == ENVIRONMENT["MQTT_PASSWORD"]
    assert [device.id for device in loaded.devices] == ["pump-1", "pump-2", "oven-1"]
    first, second, oven = loaded.devices
    assert isinstance(first, ModbusDevice)
    assert isinstance(second, ModbusDevice)
    assert isinstance(oven, OpcuaDevice)
    assert (first.tags[0].address, first.tags[0].type, first.tags[0].range) == (16, DataType.INT16, (0.0, 100.0))
    assert (second.unit, second.tags) == (2, first.tags)


def test_a_secret_does_not_show_itself(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, WHOLE), ENVIRONMENT)
    assert "geheim" not in repr(loaded)


def test_a_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    loaded = load(written(tmp_path, WHOLE.replace("env:MQTT_PASSWORD", "file:password")), {})
    assert loaded.uplink.password == ENVIRONMENT["MQTT_PASSWORD"]


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="is empty"):
        load(written(tmp_path, WHOLE), {"MQTT_PASSWORD": ""})


def test_the_published_schema_is_current() -> None:
    published = Path(__file__).parents[3] / "docs" / "agent-config.schema.json"
    assert published.read_text() == schema_text()


words = st.sampled_from(["gateway", "devices", "tags", "id", "protocol", "modbus", "url", "name", "x", "1", "1e3", "~"])
trees = st.recursive(words, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(tree=trees)
def test_any_tree_gives_findings_inside_the_file_or_settings(tmp_path: Path, tree: object) -> None:
    path = written(tmp_path, str(tree).replace("'", ""))
    assert all(finding.line >= 1 and finding.column >= 1 and finding.message for finding in outcome(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, len(WHOLE)), noise=st.binary(max_size=6))
def test_any_damage_to_a_file_is_answered(tmp_path: Path, cut: int, noise: bytes) -> None:
    path = tmp_path / "agent.yaml"
    raw = WHOLE.encode()
    path.write_bytes(raw[:cut] + noise + raw[cut:])
    assert all(finding.line >= 1 and finding.message for finding in outcome(path))


JUDGED = """
gateway: gw-1
detect: {learn_rows: 200}
devices:
  - {id: one, protocol: modbus, url: "tcp://127.0.0.1:1", tags: [{name: flow, address: 0, scale: 0.1}]}
  - {id: two, protocol: modbus, url: "tcp://127.0.0.1:1", detect: true, tags: [{name: flow, address: 0, scale: 0.1}]}
  - {id: three, protocol: modbus, url: "tcp://127.0.0.1:1", detect: false, tags: [{name: flow, address: 0}]}
"""


def test_a_device_is_judged_as_it_says_itself_and_else_as_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(JUDGED)
    settings = load(path, {})
    one, two, three = (settings.detect_of(device) for device in settings.devices)
    assert one is not None
    assert one.learn_rows == 200
    assert two == DetectSettings()
    assert three is None


def test_models_lie_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(JUDGED)
    assert load(path, {}).models.directory == tmp_path / "models"
