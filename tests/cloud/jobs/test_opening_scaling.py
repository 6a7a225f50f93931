"""Bounds of services out of the settings."""

import os
from pathlib import Path

import pytest

from cloud.domain.load import Service
from cloud.domain.scaling import Bounds
from cloud.jobs.opening_scaling import bounds_of
from tests.support.cloud import settings_in

CORES = os.cpu_count() or 1


@pytest.mark.parametrize("service", [Service.API, Service.INFERENCE])
def test_what_answers_socket_io_stays_one_process_unless_somebody_says_otherwise(
    service: Service, tmp_path: Path
) -> None:
    assert bounds_of(settings_in(tmp_path))[service] == Bounds(1, 1)
    asked = {"instances": [{"service": service.value, "most": CORES + 3}]}
    assert bounds_of(settings_in(tmp_path, scaling=asked))[service] == Bounds(1, CORES + 3)


def test_jobs_may_take_all_cores_and_ingest_only_what_a_broker_can_share(tmp_path: Path) -> None:
    assert bounds_of(settings_in(tmp_path))[Service.JOBS] == Bounds(1, CORES)
    assert bounds_of(settings_in(tmp_path))[Service.INGEST] == Bounds(1, 1)
    assert bounds_of(settings_in(tmp_path, mqtt={"port": 1883}))[Service.INGEST] == Bounds(1, CORES)
