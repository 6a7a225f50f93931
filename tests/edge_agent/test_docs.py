"""What docs/configuration.md says is what the agent does: every setting, every metric, and the example."""

import re
from pathlib import Path

import pytest
from msgspec import inspect as kinds

from edge_agent.config.load import load, setting_paths
from edge_agent.config.schema import AgentSettings
from edge_agent.watch.metrics import StatusCollector
from edge_agent.watch.status import AgentStatus, BufferState, DeliveryState, DeviceState, JudgedState

DOCS = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
SETTINGS = sorted({key for _, key in setting_paths(kinds.type_info(AgentSettings))})


def status() -> AgentStatus:
    device = DeviceState("pump-1", "modbus", "ok", "", 1, 0, 0, {"good": 1}, 0.1, 0.1)
    judged = JudgedState("pump-1", "own@1", "serving", score=0.1, invoke_us=50.0, opened={"model": 1})
    delivery = DeliveryState(published={"batches": 1})
    return AgentStatus("gw-1", "0", "", 1.0, (), (device,), BufferState(), delivery, (), judged=(judged,))


def metrics() -> list[str]:
    collected = StatusCollector(status(), 1, 1.0).collect()
    return [f"{m.name}_total" if m.type == "counter" else m.name for m in collected]


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_is_documented(key: str) -> None:
    assert re.search(rf"^\| `{key}` \|", DOCS, re.MULTILINE) or f"`{key}`" in DOCS


@pytest.mark.parametrize("metric", metrics())
def test_every_metric_is_documented(metric: str) -> None:
    assert f"| `{metric}` |" in DOCS


def test_every_documented_metric_exists() -> None:
    assert sorted(re.findall(r"^\| `(lineside_agent_\w+)` \|", DOCS, re.MULTILINE)) == sorted(metrics())


def test_every_documented_setting_exists() -> None:
    before_metrics = DOCS[DOCS.index("## Top level") : DOCS.index("## Metrics")]
    documented = set(re.findall(r"^\| `(\w+)` \|", before_metrics, re.MULTILINE))
    assert documented - set(SETTINGS) == {"protocol"} - set(SETTINGS)


def test_the_example_loads(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    path = tmp_path / "agent.yaml"
    path.write_text(example[1])
    assert load(path, {}).gateway == "gw-1"
