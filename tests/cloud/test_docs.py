"""What docs/cloud.md says is what the cloud does: every setting, every metric, and the example."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from cloud.config import Settings, load_settings
from cloud.sections.learning import ForecastSettings
from cloud.sections.readings import RetentionSettings, TlsSettings

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "cloud.md").read_text()
SETTINGS_DOCS, METRICS_DOCS = DOCS.split("## Metrics")
SECTIONS = [field.default for field in Settings.model_fields.values() if isinstance(field.default, BaseModel)]
SETTINGS = sorted(
    {name for model in (Settings, ForecastSettings, RetentionSettings, TlsSettings) for name in model.model_fields}
    | {name for section in SECTIONS for name in type(section).model_fields}
)
NAMED = re.compile(r'"(lineside_(?:alarms|gateway|gateways|ingest|store|readings|series)\w*)"')
COUNTED = {"batches", "readings", "messages", "mqtt", "groups"}


def metrics() -> list[str]:
    sources = [path.read_text() for path in (ROOT / "cloud").rglob("*.py")]
    found = {name for text in sources for name in NAMED.findall(text)}
    return sorted(f"{name}_total" if name.removeprefix("lineside_ingest_") in COUNTED else name for name in found)


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_is_documented(key: str) -> None:
    assert f"`{key}`" in SETTINGS_DOCS


@pytest.mark.parametrize("metric", metrics())
def test_every_metric_is_documented(metric: str) -> None:
    assert f"`{metric}`" in METRICS_DOCS


def test_every_documented_metric_exists() -> None:
    assert set(re.findall(r"`(lineside_\w+)`", METRICS_DOCS)) == set(metrics())


def test_every_documented_setting_exists() -> None:
    first_cells = re.findall(r"^\| ((?:`\w+` ?)+)\|", SETTINGS_DOCS, re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} <= set(SETTINGS)


def test_the_example_loads(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    path = tmp_path / "lineside-cloud.yaml"
    path.write_text(example[1])
    assert [rule.days for rule in load_settings(path).store.retention] == [30, None]
