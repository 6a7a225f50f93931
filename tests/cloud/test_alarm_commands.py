"""lineside-cloud alarm: by its effects on the records."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud.cli import app
from cloud.commands.alarms import seconds
from cloud.domain.alarm import Condition
from cloud.domain.alarm_words import Raise
from cloud.errors import Invalid
from cloud.operations.raising import apply_steps
from cloud.ports import StoredDevice
from cloud.records.database import Records
from cloud.records.devices import register_devices
from cloud.records.labels import list_labels
from protocols.tag import DeviceInfo
from tests.support.alarms import PUMP, finding


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lineside-cloud.yaml"
    assert run("init", config=path).exit_code == 0
    return path


@pytest.fixture
def records(config: Path) -> Iterator[Records]:
    made = Records(f"sqlite:///{config.parent / 'data' / 'records.db'}")
    steps = [Raise(PUMP, finding()), Raise(Condition("gw-1", "", "gateway_offline"), finding(10))]
    with made.writing() as session:
        register_devices(session, [StoredDevice("gw-1", DeviceInfo("pump-1"))])
        apply_steps(session, steps, by="test", new_id=iter(["a-1", "a-2"]).__next__)
    yield made
    made.close()


def run(*arguments: str, config: Path) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def listed(config: Path, *arguments: str) -> dict[str, str]:
    found = json.loads(run("alarm", "list", "--json", *arguments, config=config).output)
    return {one["id"]: one["state"] for one in found}


@pytest.mark.usefixtures("records")
def test_alarms_are_listed_by_device_state_and_severity(config: Path) -> None:
    assert listed(config) == {"a-2": "unack_active", "a-1": "unack_active"}
    assert list(listed(config, "--device", "pump-1")) == ["a-1"]
    assert listed(config, "--severity", "critical") == {}
    assert listed(config, "--state", "shelved") == {}
    assert "unlike it" in run("alarm", "list", config=config).output
    assert "there is no device" in run("alarm", "list", "--device", "x", config=config).output


@pytest.mark.usefixtures("records")
def test_alarms_are_acknowledged_together_or_not_at_all(config: Path) -> None:
    refused = run("alarm", "ack", "a-1", "nothing", config=config)
    assert (refused.exit_code, "no alarm nothing" in refused.output) == (1, True)
    assert set(listed(config).values()) == {"unack_active"}
    assert run("alarm", "ack", "a-1", "a-2", "--comment", "seen", config=config).exit_code == 0
    assert set(listed(config).values()) == {"ack_active"}
    shown = run("alarm", "show", "a-1", config=config).output
    assert "cli: seen" in shown
    assert "cli alarm.acknowledge" in shown


@pytest.mark.usefixtures("records")
def test_an_alarm_is_shelved_for_a_time_and_commented(config: Path) -> None:
    assert run("alarm", "shelve", "a-1", "--for", "15m", "--one-shot", config=config).exit_code == 0
    assert listed(config)["a-1"] == "shelved"
    refused = run("alarm", "shelve", "a-1", "--for", "13h", config=config)
    assert (refused.exit_code, "for_s" in refused.output) == (1, True)
    assert run("alarm", "comment", "a-1", "bearing is warm", config=config).exit_code == 0
    story = json.loads(run("alarm", "show", "a-1", "--json", config=config).output)
    assert [one["text"] for one in story["comments"]] == ["bearing is warm"]


def test_a_label_is_kept_with_the_window_of_the_alarm(config: Path, records: Records) -> None:
    assert "is a true_fault, from 2025" in run("alarm", "label", "a-1", "true_fault", config=config).output
    with records.reading() as session:
        assert [(one.device, one.alarm_id) for one in list_labels(session)] == [("pump-1", "a-1")]
    assert run("alarm", "label", "a-1", "perhaps", config=config).exit_code == 2


@pytest.mark.parametrize(("text", "length"), [("15m", 900.0), ("2h", 7200.0)])
def test_a_time_on_a_shelf_is_minutes_or_hours(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "15", "m", "-1m", "1d", "1.5h"])
def test_a_time_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="--for"):
        seconds(text)


@pytest.mark.usefixtures("records")
def test_an_alarm_is_shelved_brought_back_assigned_and_cleared(config: Path) -> None:
    assert run("alarm", "shelve", "a-1", "--for", "15m", config=config).exit_code == 0
    assert run("alarm", "unshelve", "a-1", config=config).output.startswith("a-1 unack_active")
    assert run("alarm", "assign", "a-1", "bob", config=config).exit_code == 0
    shown = json.loads(run("alarm", "show", "a-1", "--json", config=config).output)
    assert shown["assigned_to"] == "bob"
    assert run("alarm", "clear", "a-1", "--comment", "test", config=config).output.startswith("a-1 normal")
