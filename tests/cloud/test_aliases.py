"""The API on more ports: those where clients of other products look."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cloud.errors import Unavailable
from cloud.listening import listen_elsewhere, port_of
from tests.support.cloud import CloudServer, settings_in

MLFLOW = "/api/2.0/mlflow/registered-models/list"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudServer]:
    directory = tmp_path_factory.mktemp("cloud")
    running = CloudServer(directory)
    running.config.write_text("data: data\napi: {port: 0, registry_port: 0, console_port: 0}\nmqtt: null\n")
    with running:
        yield running


def test_the_ports_of_the_registry_and_the_console_serve_the_same_application(server: CloudServer) -> None:
    for name in ("api", "registry", "console"):
        assert httpx.get(f"{server.facts[name]}/health", timeout=60).json()["database"] == "ok"
    assert len({server.facts[name] for name in ("api", "registry", "console")}) == 3


def test_the_registrys_clients_need_no_credential_on_its_own_port_and_one_elsewhere(server: CloudServer) -> None:
    assert httpx.get(server.facts["registry"] + MLFLOW, timeout=60).status_code == 200
    assert httpx.get(server.facts["api"] + MLFLOW, timeout=60).status_code == 401
    assert httpx.get(server.facts["console"] + MLFLOW, timeout=60).status_code == 401


def test_the_root_of_the_consoles_port_leads_to_a_page(server: CloudServer) -> None:
    answer = httpx.get(server.facts["console"] + "/", timeout=60)
    assert answer.status_code == 307
    assert answer.headers["Location"] in {"/ui/", "/docs"}
    assert httpx.get(server.facts["api"] + "/", timeout=60).status_code == 200


def test_two_processes_share_a_further_port_and_a_strangers_is_refused_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = settings_in(tmp_path, api={"registry_port": port_of(stranger)})
        with pytest.raises(Unavailable, match=r"api\.registry_port"):
            listen_elsewhere(taken)
        free = port_of(stranger)
    shared = settings_in(tmp_path, api={"console_port": free})
    one, other = listen_elsewhere(shared), listen_elsewhere(shared)
    assert port_of(one["console"]) == port_of(other["console"]) == free
    for opened in (*one.values(), *other.values()):
        opened.close()
