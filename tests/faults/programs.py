"""The programs of a stage: how each is configured, started, and seen to be up."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploy.broker import listens
from deploy.line import command
from deploy.supervise import Program
from firmware_sim.agent_config import compose
from firmware_sim.endpoints import Ready
from tests.support.broker import mosquitto

PLANT, BROKER, INGEST, CLOUD, AGENT = "plant", "broker", "ingest", "cloud", "agent"
GATEWAY = "gw-1"
_BROKER = """\
user root
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {directory}/
max_queued_messages {queued}
max_inflight_messages {in_flight}
log_type error
log_type notice
log_type warning
"""
_PLANT: Mapping[str, Any] = {
    "plant": "faults",
    "servers": [{"id": "line", "protocol": "modbus-tcp"}],
    "machines": [
        {"id": "pump-1", "type": "pump", "server": "line", "unit": 1, "period_s": 0.1},
        {"id": "motor-1", "type": "motor", "server": "line", "unit": 2, "period_s": 0.1},
    ],
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a row needs of its stage. whole_cloud: all processes under their supervisor, not the ingest alone.

    queued, in_flight: the broker's bounds for a client; plant: the document of `lineside-sim serve`, without a seed;
    agent: sections of the agent's file that differ; cloud: the same of the cloud's; consumers: further subscriber
    processes; can_fail: an ingest that dies where it is told to; has_true_times: no clock is moved, so that times can
    be compared; disks: MiB of a disk of its own by the program (agent or cloud); has_small_buffer: agents with 1 MiB;
    timeout_s: how long an agent waits for a device, lest a busy machine makes it give up an answer that the truth has.
    """

    whole_cloud: bool = False
    queued: int = 1000
    in_flight: int = 20
    plant: Mapping[str, Any] = field(default_factory=lambda: _PLANT)
    agent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cloud: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    consumers: int = 0
    can_fail: bool = False
    has_true_times: bool = True
    disks: Mapping[str, int] = field(default_factory=dict)
    has_small_buffer: bool = False
    timeout_s: float = 10.0


def plant_program(directory: Path, needs: Needs, seed: int) -> Program:
    """Return the simulated plant; its truth is `truth.jsonl` in the directory."""
    document, ready = directory / "plant.yaml", directory / "plant.json"
    document.write_text(yaml.safe_dump(dict(needs.plant) | {"seed": seed}))
    serve = [*command("lineside-sim"), "serve", str(document), "--truth", str(directory / "truth.jsonl")]
    # Agents start once more after the plant has ended, and must still find them.
    serve += ["--certificates", str(directory / "certificates")]
    return Program(PLANT, [*serve, "--ready-file", str(ready)], directory / "plant.log", ready.exists)


def broker_program(directory: Path, needs: Needs, port: int) -> Program:
    """Return Mosquitto with a persistence file, as a distribution starts it."""
    config = directory / "mosquitto.conf"
    config.write_text(_BROKER.format(port=port, directory=directory, queued=needs.queued, in_flight=needs.in_flight))
    return Program(BROKER, [mosquitto(), "-c", str(config)], directory / "broker.log", lambda: listens(port))


def write_cloud_config(directory: Path, needs: Needs, *, broker_port: int, api_port: int) -> Path:
    """Write the cloud's configuration and return where."""
    config = directory / "lineside-cloud.yaml"
    document: dict[str, Any] = {
        "data": "cloud",
        "api": {"port": api_port},
        "mqtt": {"port": broker_port},
        "store": {"minimum_free": 0.0},
        "limits": {"profile": "high"},
    }
    for section, more in needs.cloud.items():
        document[section] = document.get(section, {}) | dict(more)
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    return config


def ingest_program(config: Path, *, can_fail: bool) -> Program:
    """Return the ingest process alone; can_fail: the same with a failpoint, see `failing_ingest`."""
    log = config.with_name("ingest.log")
    if can_fail:
        program: Sequence[str] = (sys.executable, "-m", "tests.faults.failing_ingest", str(config))
    else:
        program = (*command("lineside-cloud"), "serve", "--only", "ingest", "--config", str(config))
    return Program(INGEST, program, log, ready_again(log))


def consumer_program(config: Path, number: int) -> Program:
    """Return a further subscriber, which hands over to the ingest process."""
    name = f"consumer-{number}"
    log = config.with_name(f"{name}.log")
    return Program(name, (sys.executable, "-m", "cloud.processes.consumer", str(config)), log, ready_again(log))


def cloud_program(config: Path) -> Program:
    """Return the whole cloud under its supervisor."""
    ready = config.with_name("cloud.json")
    serve = (*command("lineside-cloud"), "serve", "--config", str(config), "--ready-file", str(ready))
    return Program(CLOUD, serve, config.with_name("cloud.log"), ready.exists)


def ready_again(log: Path) -> Callable[[], bool]:
    """Return a question whether the program that writes this log said once more that it serves."""
    seen = 0

    def is_up() -> bool:
        nonlocal seen
        said = log.read_bytes().count(b'"message": "ready"') if log.exists() else 0
        is_new, seen = said > seen, max(said, seen)
        return is_new

    return is_up


def write_agent_config(
    directory: Path, ready: Ready, needs: Needs, *, broker_port: int, watch_port: int, gateway: str
) -> Path:
    """Write an agent's configuration for a running plant and return where; made anew whenever the plant moved."""
    directory.mkdir(parents=True, exist_ok=True)
    document = compose(
        ready, gateway=gateway, broker=("127.0.0.1", broker_port), buffer=directory / "buffer" / "buffer.db"
    )
    for device in document["devices"]:
        device["timeout_s"] = needs.timeout_s
    document["buffer"]["max_unsealed_s"] = 0.05
    document["uplink"]["keepalive_s"] = 5
    document["watch"] = {"port": watch_port}
    for section, more in needs.agent.items():
        document[section] = document.get(section, {}) | dict(more)
    config = directory / "agent.yaml"
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    return config


def agent_program(name: str, config: Path, watch_port: int, *, is_small: bool = False) -> Program:
    """Return an agent; is_small: one with a small buffer, see `small_agent`."""
    run: Sequence[str] = (*command("lineside-agent"), "run", str(config))
    if is_small:
        run = (sys.executable, "-m", "tests.faults.small_agent", str(config))
    return Program(name, run, config.with_name("agent.log"), lambda: listens(watch_port))
