"""Whole agents as processes: they record without a broker, stop without losing anything, and say how they are."""

import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.ports import free_port
from tests.support.agent import AgentProcess, modbus_device
from tests.support.broker import Broker
from tests.support.small_store import SmallStore
from tests.support.waiting import until, wait_until


def nowhere() -> str:
    return f"{{port: {free_port()}}}"


def totals(stats: str) -> Counter[str]:
    epochs: list[dict[str, Any]] = json.loads(stats)["epochs"]
    counted: Counter[str] = Counter()
    for epoch in epochs:
        counted.update({state: epoch[state] for state in ("sealed", "acked", "waiting", "dropped")})
    return counted


def test_without_a_broker_it_records_and_shows_the_last_values(tmp_path: Path, modbus_port: int) -> None:
    with AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=nowhere()) as agent:
        agent.wait_for_values()
        wait_until(lambda: agent.status()["buffer"]["batches_waiting"] > 0)
        shown = agent.command("status", "--json")
        assert shown.returncode == 0
        document = json.loads(shown.stdout)
        assert [(row["device"], row["tag"]) for row in document["values"]] == [("pump-1", f"r{i}") for i in range(4)]
        assert not document["delivery"]["connected"]
        assert any("is away" in problem for problem in document["problems"])
        health = json.loads(agent.get("/health") or b"{}")
        assert (health["status"], health["uplink"]) == ("degraded", "away")
        assert json.loads(agent.get("/health/live") or b"{}")["ok"]


def test_sigterm_stores_what_was_taken_and_a_new_start_goes_on(tmp_path: Path, modbus_port: int) -> None:
    agent = AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=nowhere(), max_unsealed_s=30)
    with agent:
        agent.wait_for_values()
        wait_until(lambda: agent.status()["buffer"]["unsealed_readings"] >= 40)
        taken = sum(agent.status()["devices"][0]["readings"].values())
        assert agent.stop() == 0
    first = totals(agent.command("buffer", "stats", "--json").stdout)
    assert first["sealed"] == first["waiting"] >= taken
    exported = [json.loads(line) for line in agent.command("buffer", "print").stdout.splitlines()]
    readings = [line for line in exported if "tag" in line]
    assert len(readings) == first["sealed"]
    assert {(line["device"], line["quality"]) for line in readings} == {("pump-1", "good")}
    with agent:
        agent.wait_for_values()
        wait_until(lambda: sum(epoch["sealed"] > 0 for epoch in agent.status()["buffer"]["epochs"]) == 2)


async def test_sigterm_sends_what_it_can_before_it_goes(tmp_path: Path, modbus_port: int) -> None:
    with Broker(tmp_path / "broker") as broker:
        store = SmallStore(broker.host, broker.port)
        await store.start()
        agent = AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=f"{{port: {broker.port}}}")
        with agent:
            await until(lambda: len(store.ledger.values()) > 40)
            assert agent.process is not None
            agent.process.terminate()
            await until(lambda: agent.process is not None and agent.process.poll() is not None)
            assert agent.process.returncode == 0
        await until(lambda: bool(store.states) and not store.states[-1].online)
        await store.stop()
    left = totals(agent.command("buffer", "stats", "--json").stdout)
    assert left["waiting"] == left["dropped"] == 0
    assert left["sealed"] == left["acked"] == len(store.ledger.values())


def test_a_device_that_goes_is_told_once_and_does_not_stop_the_others(tmp_path: Path, modbus_port: int) -> None:
    devices = f"{modbus_device(modbus_port)}\n{modbus_device(free_port(), name='pump-2')}"
    with AgentProcess(tmp_path, devices=devices, uplink=nowhere()) as agent:
        wait_until(lambda: any(row.get("quality") == "device lost" for row in agent.status().get("values", [])))
        polls = agent.status()["devices"][0]["polls"]
        wait_until(lambda: agent.status()["devices"][0]["polls"] > polls + 20)
        document = agent.status()
        assert [device["state"] for device in document["devices"]] == ["ok", "lost"]
        assert any(problem.startswith("pump-2 does not answer") for problem in document["problems"])
        assert agent.stop() == 0
    assert sum(event.startswith("device lost") for event in agent.events()) == 1


def test_metrics_are_what_prometheus_reads(tmp_path: Path, modbus_port: int) -> None:
    devices = modbus_device(modbus_port, more=", range: [0, 0.5], deadband: 100000")
    with AgentProcess(tmp_path, devices=devices, uplink=nowhere()) as agent:
        wait_until(lambda: agent.status().get("hidden_readings", 0) > 0)
        text = (agent.get("/metrics") or b"").decode()
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["lineside_agent_source_up", "pump-1"] == 1
    assert samples["lineside_agent_readings_total", "out of range", "pump-1"] > 0
    assert samples["lineside_agent_readings_hidden_total",] > 0
    assert samples["lineside_agent_uplink_up",] == 0
    assert samples["lineside_agent_resident_memory_bytes",] > 1_000_000


def test_systemd_hears_of_start_and_progress(tmp_path: Path, modbus_port: int) -> None:
    agent = AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=nowhere())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        agent.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with agent:
            heard = {systemd.recv(100) for _ in range(4)}
            assert heard == {b"READY=1", b"WATCHDOG=1"}


def test_a_second_agent_on_the_same_buffer_does_not_start(tmp_path: Path, modbus_port: int) -> None:
    with AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=nowhere()) as agent:
        agent.wait_for_values()
        second = agent.command("run")
        assert second.returncode == 1
        assert "in use" in second.stderr


@pytest.mark.parametrize("command", ["run", "status", "doctor", "test"])
def test_a_wrong_configuration_is_named_and_exits_with_3(tmp_path: Path, command: str) -> None:
    agent = AgentProcess(tmp_path, devices="  - {id: pump-1, protocol: modbuss}", uplink="{}")
    outcome = agent.command(command)
    assert outcome.returncode == 3
    assert "agent.yaml:6:28: devices[0].protocol: 'modbuss' is not one of modbus, opcua, replay" in outcome.stderr
    assert "did you mean modbus?" in outcome.stderr


def test_buffer_drop_declares_what_it_gives_up_and_wants_the_agent_stopped(tmp_path: Path, modbus_port: int) -> None:
    agent = AgentProcess(tmp_path, devices=modbus_device(modbus_port), uplink=nowhere())
    with agent:
        agent.wait_for_values()
        wait_until(lambda: agent.status()["buffer"]["batches_waiting"] > 0)
        assert agent.command("buffer", "drop").returncode == 2
        assert agent.command("buffer", "drop", "--yes").returncode == 1
        assert agent.stop() == 0
    before = totals(agent.command("buffer", "stats", "--json").stdout)
    assert agent.command("buffer", "drop", "--yes").returncode == 0
    after = totals(agent.command("buffer", "stats", "--json").stdout)
    assert after["dropped"] == before["waiting"] > 0
    assert after["waiting"] == 0
    declared = [json.loads(line) for line in agent.command("buffer", "print").stdout.splitlines()]
    assert sum(line["dropped"]["readings"] for line in declared if "dropped" in line) == before["waiting"]
