"""Fetching: what is signed comes, what is not is refused by name, what does not answer is tried again."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.models.child import Children, ErrandFailed
from edge_agent.models.errand import FetchAnswer, Fetched, FetchErrand, Reason
from tests.support.cloud_clock import HandClock
from tests.support.near_children import NearChildren
from tests.support.package_server import KEY, TARGETS, PackageServer

PATH = "pump/3.lsp"
CONTENT = bytes(range(256)) * 40
DAY_S = 86_400


class Gateway:
    """Sends the fetching child, as a gateway with a directory of its own does."""

    def __init__(self, directory: Path, server: PackageServer) -> None:
        self.directory = directory
        self.server = server
        self.root = server.root
        self.key = KEY
        self.children: Children = NearChildren()

    async def fetch(self, *paths: str, limit_s: float = 30.0) -> tuple[Fetched, ...]:
        errand = FetchErrand(
            directory=str(self.directory),
            url=self.server.url,
            root=str(self.root),
            key=self.key,
            paths=paths or (PATH,),
            limit_s=limit_s,
        )
        answer = await self.children.send("edge_agent.models.fetch", errand, FetchAnswer)
        return answer.found

    async def reason(self, *paths: str) -> Reason | None:
        (found,) = await self.fetch(*paths)
        assert (found.file == "") == (found.reason is not None)
        return found.reason


def content(found: Fetched) -> bytes:
    return Path(found.file).read_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PackageServer]:
    with PackageServer(tmp_path / "cloud") as server:
        server.repository.publish(PATH, CONTENT)
        yield server


@pytest.fixture
def gateway(tmp_path: Path, server: PackageServer) -> Gateway:
    return Gateway(tmp_path / "models", server)


async def test_what_is_signed_comes_whole_and_the_key_goes_along(gateway: Gateway) -> None:
    gateway.children = Children(os.environ)
    (found,) = await gateway.fetch()
    assert found.reason is None
    assert content(found) == CONTENT


async def test_what_is_there_already_is_not_fetched_again(gateway: Gateway, server: PackageServer) -> None:
    await gateway.fetch()
    server.asked.clear()
    assert await gateway.reason() is None
    assert not any(path.startswith(TARGETS) for path in server.asked)


async def test_one_errand_brings_what_it_can_of_several(gateway: Gateway, server: PackageServer) -> None:
    server.repository.publish("fan/1.lsp", b"another")
    found = await gateway.fetch("fan/1.lsp", "fan/2.lsp", PATH)
    assert [one.reason for one in found] == [None, Reason.NOT_FOUND, None]


async def test_a_tampered_package_is_refused(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.change = lambda path, data: data[:-1] + b"!" if path.startswith(TARGETS) else data
    assert await gateway.reason() is Reason.TAMPERED


async def test_tampered_metadata_are_refused(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.change = lambda _, data: data.replace(b'"version":', b'"version": 1')
    assert await gateway.reason() is Reason.TAMPERED


async def test_metadata_of_two_states_mixed_are_refused(
    gateway: Gateway, server: PackageServer, tmp_path: Path
) -> None:
    """Each file is signed and whole, and they do not belong together."""
    metadata = tmp_path / "cloud" / "repository" / "metadata"
    before = max(metadata.glob("*.snapshot.json"), key=lambda file: int(file.name.partition(".")[0])).read_bytes()
    server.repository.publish("pump/4.lsp", b"newer")
    server.mischief.change = lambda path, data: before if path.endswith(".snapshot.json") else data
    assert await gateway.reason() is Reason.TAMPERED
    server.mischief.change = lambda _, data: data
    assert await gateway.reason() is None


async def test_a_truncated_package_is_refused(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.change = lambda path, data: data[:-100] if path.startswith(TARGETS) else data
    assert await gateway.reason() is Reason.TRUNCATED


async def test_a_package_that_does_not_end_is_refused(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.change = lambda path, data: data * 9 if path.startswith(TARGETS) else data
    assert await gateway.reason() is Reason.OVERSIZED


async def test_expired_signatures_are_refused(tmp_path: Path) -> None:
    long_ago = HandClock(time.time_ns() // 1000)
    long_ago.move(-10 * DAY_S)
    with PackageServer(tmp_path / "cloud", long_ago) as server:
        server.repository.publish(PATH, CONTENT)
        gateway = Gateway(tmp_path / "models", server)
        assert await gateway.reason() is Reason.EXPIRED
        long_ago.move(10 * DAY_S)
        server.repository.refresh()
        assert await gateway.reason() is None


async def test_a_repository_that_went_back_is_refused(gateway: Gateway, server: PackageServer, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "cloud" / "repository", tmp_path / "before")
    server.repository.publish("pump/4.lsp", b"newer")
    assert await gateway.reason() is None
    shutil.copytree(tmp_path / "before", tmp_path / "cloud" / "repository", dirs_exist_ok=True)
    assert await gateway.reason() is Reason.OLDER


async def test_a_foreign_repository_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    assert await gateway.reason() is None
    with PackageServer(tmp_path / "other") as foreign:
        foreign.repository.publish(PATH, b"not ours")
        gateway.server = foreign
        assert await gateway.reason() is Reason.FOREIGN


async def test_a_package_that_nobody_signed_is_not_found(gateway: Gateway) -> None:
    assert await gateway.reason("pump/99.lsp") is Reason.NOT_FOUND


async def test_a_wrong_key_is_denied(gateway: Gateway) -> None:
    gateway.key = "somebody else's"
    assert await gateway.reason() is Reason.DENIED


async def test_a_root_that_is_none_is_named(gateway: Gateway, tmp_path: Path) -> None:
    gateway.root = tmp_path / "nothing.json"
    gateway.root.write_text(json.dumps({"signed": {}}))
    assert await gateway.reason() is Reason.NO_ROOT


async def test_who_does_not_answer_is_tried_again(gateway: Gateway, server: PackageServer) -> None:
    server.stop()
    assert await gateway.reason() is Reason.UNREACHABLE
    server.start()
    assert await gateway.reason() is None


async def test_an_answer_that_breaks_off_is_no_refusal(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.cut = 300
    assert await gateway.reason() is Reason.UNREACHABLE


async def test_a_cloud_in_trouble_is_no_refusal(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.status = lambda path: 503 if path.startswith(TARGETS) else 200
    assert await gateway.reason() is Reason.UNREACHABLE


async def test_a_redirection_is_not_followed_lest_the_key_go_elsewhere(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.status = lambda _: 302
    assert await gateway.reason() is Reason.UNREACHABLE


async def test_a_new_root_signed_by_the_old_one_is_followed(
    gateway: Gateway, server: PackageServer, tmp_path: Path
) -> None:
    assert await gateway.reason() is None
    server.repository.rotate(tmp_path / "cloud" / "offline", online=True)
    server.repository.publish("pump/4.lsp", b"by new keys")
    assert await gateway.reason("pump/4.lsp") is None


async def test_a_server_that_says_nothing_more_is_given_up_in_time(gateway: Gateway, server: PackageServer) -> None:
    server.mischief.change = lambda _, data: b"" if server.mischief.silence.wait(20) else data
    gateway.children = Children(os.environ)
    with pytest.raises(ErrandFailed) as failed:
        await gateway.fetch(limit_s=0.2)
    assert failed.value.reason is Reason.TIMED_OUT
    server.mischief.silence.set()
