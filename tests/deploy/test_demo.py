"""The whole line in one command, with real processes: what the machines served is what the API returns."""

import gzip
import itertools
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.account import made, settle, stored
from deploy.fetch import Api, Stored
from deploy.line import Line
from deploy.ports import free_port
from deploy.report import Facts, make_report
from deploy.run import draw_plans
from deploy.supervise import Supervisor
from firmware_sim.truth import read_truth

DEMO = Path(sys.executable).parent / "lineside-demo"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def run_demo(directory: Path, *arguments: str) -> dict[str, Any]:
    """Return the report of a demo run in this folder."""
    report = directory / "report.json"
    command = [str(DEMO), "--report", str(report), "--keep", str(directory / "demo"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def left_behind(directory: Path) -> str:
    """Return the processes that still speak of the run's folder."""
    return subprocess.run(["pgrep", "-af", str(directory)], capture_output=True, text=True, check=False).stdout


def test_all_that_the_machines_served_comes_back_from_the_api_and_the_counter_sees_any_change(tmp_path: Path) -> None:
    report = run_demo(tmp_path, "--for", "25", "--seed", "5")
    assert report["ok"], report
    assert report["readings_made"] == report["readings_stored"] > 1000
    assert (report["readings_lost"], report["readings_duplicated"], report["readings_unsealed"]) == (0, 0, 0)
    assert report["agent_rss_mib"] > 0
    assert report["cloud_rss_mib"] > 0
    assert left_behind(tmp_path) == ""
    check_the_counter(tmp_path / "demo")


def check_the_counter(directory: Path) -> None:
    """See that deleting, repeating or changing one stored reading of a real run each makes the report not ok."""
    truth = made(read_truth(directory / "truth.jsonl"))
    line = replace(
        Line.lay(directory, seed=None, recording=None, poll_s=None), broker_port=free_port(), api_port=free_port()
    )
    line.prepare_cloud()
    with Supervisor() as supervisor:
        supervisor.start(line.broker())
        supervisor.start(line.cloud())
        with Api(line.url, line.key) as api:
            found = stored(api, truth)
    facts = Facts(1.0, 1.0, 1.0, 25.0, 5, "mosquitto", {"lost": 0}, ())
    assert make_report(facts, settle(truth, found), None).ok
    series = random.Random(5).choice(sorted(found))
    for tamper in (deleted, repeated, altered):
        wrong = found | {series: tamper(found[series], len(found[series].values) // 2)}
        report = make_report(facts, settle(truth, wrong), None)
        assert not report.ok, tamper.__name__


def deleted(one: Stored, at: int) -> Stored:
    return Stored([*one.at[:at], *one.at[at + 1 :]], [*one.values[:at], *one.values[at + 1 :]])


def repeated(one: Stored, at: int) -> Stored:
    return Stored([*one.at[:at], *one.at[at - 1 :]], [*one.values[:at], *one.values[at - 1 :]])


def altered(one: Stored, at: int) -> Stored:
    return Stored(one.at, [*one.values[:at], 12345.678, *one.values[at + 1 :]])


@pytest.mark.loop
def test_killing_agent_broker_and_cloud_loses_and_repeats_nothing(tmp_path: Path) -> None:
    report = run_demo(tmp_path, "--for", "45", "--kill", "agent", "--kill", "broker", "--kill", "cloud")
    assert report["ok"], report
    assert sorted(each["program"] for each in report["interruptions"]) == ["agent", "broker", "cloud"]
    assert (report["readings_lost"], report["readings_duplicated"], report["readings_altered"]) == (0, 0, 0)


@pytest.mark.loop
def test_a_broker_away_for_20_seconds_costs_nothing_and_readings_come_through_again(tmp_path: Path) -> None:
    report = run_demo(tmp_path, "--for", "50", "--outage", "20")
    assert report["ok"], report
    assert (report["readings_lost"], report["readings_duplicated"]) == (0, 0)
    (outage,) = report["interruptions"]
    assert outage["away_s"] == 20
    assert outage["first_value_after_s"] is not None
    assert report["readings_made"] == report["readings_stored"]


@pytest.mark.loop
def test_every_row_of_a_recording_arrives_with_all_its_channels(tmp_path: Path) -> None:
    recording = tmp_path / "recording.csv.gz"
    write_recording(recording, rows=300)
    report = run_demo(tmp_path, "--replay", str(recording), "--speed", "20", "--for", "30")
    assert report["ok"], report
    # A row that was gone before the busy machine polled again was never served.
    assert 200 < report["rows_served"] == report["rows_stored"] <= 300
    assert report["rows_missing"] == 0


def write_recording(path: Path, *, rows: int) -> None:
    """Write a recording of one row a second with eight channels and two columns of labels."""
    chance = random.Random(1)
    lines = ["datetime;" + ";".join(f"Channel {index}" for index in range(8)) + ";anomaly;changepoint"]
    for row in range(rows):
        values = ";".join(f"{chance.gauss(index, 1):.6g}" for index in range(8))
        lines.append(f"2020-03-09 10:{row // 60:02}:{row % 60:02};{values};0.0;0.0")
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def test_a_plan_interrupts_one_program_after_the_other_within_the_run() -> None:
    plans = draw_plans(["agent", "cloud"], outage_s=5, for_s=60, chance=random.Random(1))
    assert [plan.program for plan in plans] == ["agent", "cloud", "broker"]
    assert all(before.at_s + before.away_s < after.at_s for before, after in itertools.pairwise(plans))
    assert plans[-1].at_s + plans[-1].away_s < 60
