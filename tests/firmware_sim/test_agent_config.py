"""The agent's own loader understands the configuration that the plant writes for it."""

from pathlib import Path
from typing import Any

from edge_agent.config.devices import ModbusDevice, OpcuaDevice
from edge_agent.config.load import load
from edge_agent.config.schema import AgentSettings
from firmware_sim.addresses import endpoints
from firmware_sim.agent_config import compose
from firmware_sim.clock import SystemClock
from firmware_sim.endpoints import Ready
from firmware_sim.plant import Plant
from firmware_sim.wiring import build
from firmware_sim.yaml_file import to_yaml
from tests.support.plant import modbus_plant


def settings_for(folder: Path, document: dict[str, Any]) -> AgentSettings:
    """Return what the agent reads of a plant that was put together and not started."""
    truth = folder / "truth.jsonl"
    plant = Plant.model_validate(document)
    works = build(plant, folder=folder, truth_path=truth, certificates=folder, clock=SystemClock())
    works.truth.close()
    ready = Ready("test", 1, 1, str(truth), "", endpoints(plant, works.machines, works.servers))
    path = folder / "agent.yaml"
    path.write_text(to_yaml(compose(ready)).replace("127.0.0.1:0", "127.0.0.1:502").replace("rtu://.", "rtu:///dev/x"))
    return load(path, {})


def test_every_kind_of_modbus_line_becomes_a_device(tmp_path: Path) -> None:
    document = modbus_plant(
        {"id": "pump-1"},
        {"id": "pump-2", "server": "safe", "location": "hall 1"},
        {"id": "pump-3", "server": "serial", "unit": 7, "period_s": 2.0},
    )
    document["servers"] += [{"id": "safe", "protocol": "modbus-tls"}, {"id": "serial", "protocol": "modbus-rtu"}]
    devices = [device for device in settings_for(tmp_path, document).devices if isinstance(device, ModbusDevice)]
    assert [device.address.link for device in devices] == ["tcp", "tls", "rtu"]
    assert devices[1].location == "hall 1"
    assert devices[1].tls is not None
    assert devices[1].tls.ca == tmp_path / "ca.pem"
    assert (devices[2].unit, devices[2].period_s) == (7, 2.0)


def test_tags_keep_their_types_orders_and_places(tmp_path: Path) -> None:
    tags = [
        {"name": "flow", "type": "int32", "scale": 0.1, "word_order": "little", "address": 0},
        {"name": "state", "type": "string", "length": 4, "address": 9},
        {"name": "running", "table": "coil", "address": 2},
        {"name": "on", "channel": "running", "bit": 3, "address": 6},
    ]
    (device,) = settings_for(tmp_path, modbus_plant({"id": "pump-1", "tags": tags})).devices
    assert isinstance(device, ModbusDevice)
    assert [tag.name for tag in device.tags] == ["flow", "state", "running", "on", "sequence"]
    assert [tag.kind.name for tag in device.tags] == ["FLOAT", "TEXT", "BOOL", "BOOL", "UINT"]
    assert [tag.width for tag in device.tags] == [2, 4, 1, 1, 2]
    assert device.tags[0].word_order == "little"
    assert device.tags[0].unit == "l/min"


def test_the_strongest_policy_on_offer_is_chosen(tmp_path: Path) -> None:
    document = modbus_plant(
        {"id": "oven-1", "type": "oven", "server": "vault"}, {"id": "oven-2", "type": "oven", "server": "cell"}
    )
    document["servers"] = [
        {"id": "vault", "protocol": "opcua", "security": ["None", "Basic256Sha256"]},
        {"id": "cell", "protocol": "opcua"},
    ]
    devices = [device for device in settings_for(tmp_path, document).devices if isinstance(device, OpcuaDevice)]
    assert [device.security.policy for device in devices] == ["Basic256Sha256", "None"]
    assert devices[0].security.server_certificate == tmp_path / "vault.pem"
    assert devices[0].tags[1].node == "ns=2;s=oven-1.temperature"
