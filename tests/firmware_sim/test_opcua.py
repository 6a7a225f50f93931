"""Real asyncua clients against the plant's OPC UA servers, open and encrypted."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaError

from firmware_sim.endpoints import Security
from firmware_sim.truth import Answer
from tests.support.plant import RunningPlant, running_plant
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS = ("int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool", "string")


def ovens(policy: str) -> dict[str, Any]:
    tags = [{"name": kind, "channel": "power", "type": kind} for kind in KINDS]
    oven = {"type": "oven", "server": "cell", "period_s": 0.02}
    return {
        "plant": "test",
        "seed": 5,
        "servers": [{"id": "cell", "protocol": "opcua", "security": [policy]}],
        "machines": [oven | {"id": "oven-1"}, oven | {"id": "oven-2", "tags": tags}],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningPlant]:
    async with running_plant(tmp_path_factory.mktemp("opened"), ovens("None")) as plant:
        yield plant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningPlant]:
    async with running_plant(tmp_path_factory.mktemp("guarded"), ovens("Basic256Sha256")) as plant:
        yield plant


async def encrypted(plant: RunningPlant, server_certificate: str) -> Client:
    security = plant.endpoint("oven-1").security or Security()
    client = Client(plant.endpoint("oven-1").url, timeout=2)
    client.application_uri = security.application_uri
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=security.client_certificate,
        private_key=security.client_key,
        server_certificate=server_certificate,
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    return client


def nodes(plant: RunningPlant, client: Client, machine: str = "oven-1") -> dict[str, Node]:
    return {tag.name: client.get_node(tag.node) for tag in plant.endpoint(machine).tags}


def told(plant: RunningPlant, since: int) -> list[Answer]:
    return plant.truth().answers[since:]


class Listener:
    """Keeps what a subscription is told."""

    def __init__(self, names: Mapping[str, str], enough: int) -> None:
        self.seen: dict[str, list[float]] = {name: [] for name in names.values()}
        self.enough = asyncio.Event()
        self._names = names
        self._wanted = enough

    def datachange_notification(self, node: Node, value: float, _: object) -> None:
        self.seen[self._names[node.nodeid.to_string()]].append(value)
        if all(len(values) >= self._wanted for values in self.seen.values()):
            self.enough.set()


async def test_a_read_of_several_nodes_is_one_row_and_told_exactly(opened: RunningPlant) -> None:
    since = len(opened.truth())
    async with Client(opened.endpoint("oven-1").url) as client:
        asked = list(nodes(opened, client).values())
        seen: list[tuple[float, ...]] = []
        async with asyncio.timeout(60):
            while len({row[0] for row in seen}) < 4:
                seen.append(tuple(await client.read_values(asked)))
    answers = told(opened, since)
    assert [answer.values for answer in answers] == seen
    assert [answer.row for answer in answers] == [row[0] for row in seen]
    assert {answer.how for answer in answers} == {"read"}


async def test_a_subscriber_is_told_every_value_in_sequence(opened: RunningPlant) -> None:
    since = len(opened.truth())
    async with Client(opened.endpoint("oven-1").url) as client:
        listener = Listener({tag.node: tag.name for tag in opened.endpoint("oven-1").tags}, enough=15)
        subscription = await client.create_subscription(20, listener)
        await subscription.subscribe_data_change(list(nodes(opened, client).values()), queuesize=100)
        async with asyncio.timeout(60):
            await listener.enough.wait()
        seen = {name: list(values) for name, values in listener.seen.items()}
    answers = told(opened, since)
    for name, values in seen.items():
        made = [answer.values[answer.tags.index(name)] for answer in answers if name in answer.tags]
        assert made[: len(values)] == values
    assert {later - earlier for earlier, later in pairwise(seen["sequence"])} == {1}


async def test_nothing_is_told_of_a_subscriber_that_is_gone(opened: RunningPlant) -> None:
    since = len(opened.truth())

    def last_row() -> int:
        return max((answer.row for answer in told(opened, since)), default=begun)

    begun = opened.works.machines["oven-1"].row.number
    client = Client(opened.endpoint("oven-1").url)
    await client.connect()
    listener = Listener({nodes(opened, client)["sequence"].nodeid.to_string(): "sequence"}, enough=2)
    subscription = await client.create_subscription(20, listener)
    await subscription.subscribe_data_change([nodes(opened, client)["sequence"]])
    await asyncio.wait_for(listener.enough.wait(), 30)
    client.disconnect_socket()
    await until(lambda: opened.works.machines["oven-1"].row.number >= last_row() + 10)


async def test_every_type_is_a_node_of_its_type(opened: RunningPlant) -> None:
    since = len(opened.truth())
    async with Client(opened.endpoint("oven-2").url) as client:
        asked = [node for name, node in nodes(opened, client, "oven-2").items() if name != "sequence"]
        found = [(await node.read_data_type_as_variant_type()).name for node in asked]
        assert " ".join(found) == "Int16 UInt16 Int32 UInt32 Int64 UInt64 Float Double Boolean String"
        seen = tuple(await client.read_values(asked))
    assert [answer.values for answer in told(opened, since)] == [seen]
    assert [type(value) for value in seen] == [int] * 6 + [float, float, bool, str]


async def test_after_a_restart_the_same_address_serves_again(opened: RunningPlant) -> None:
    url = opened.endpoint("oven-1").url
    async with Client(url) as client:
        before = await nodes(opened, client)["sequence"].read_value()
    ids = (await opened.ask(do="mischief", kind="restart", machine="oven-1", for_s=0.05))["ids"]
    await opened.calm()
    async with Client(url) as client:
        assert await nodes(opened, client)["sequence"].read_value() > before
    assert len(ids) == 1
    assert [window.kind for window in opened.truth().mischiefs] == ["restart"]


async def test_an_open_client_is_refused_where_only_encryption_is_offered(guarded: RunningPlant) -> None:
    since = len(guarded.truth())
    with pytest.raises((UaError, ConnectionError, TimeoutError)):
        async with Client(guarded.endpoint("oven-1").url, timeout=2):
            pass
    assert told(guarded, since) == []


async def test_a_changed_certificate_shuts_out_whoever_pinned_the_old_one(
    guarded: RunningPlant, tmp_path: Path
) -> None:
    since = len(guarded.truth())
    security = guarded.endpoint("oven-1").security or Security()
    async with await encrypted(guarded, security.server_certificate) as client:
        first = await nodes(guarded, client)["temperature"].read_value()
    pinned = shutil.copy(security.server_certificate, tmp_path / "pinned.pem")
    assert (await guarded.ask(do="mischief", kind="certificate", machine="oven-1"))["ok"]
    await guarded.calm()
    with pytest.raises((UaError, ConnectionError, TimeoutError)):
        async with await encrypted(guarded, str(pinned)):
            pass
    async with await encrypted(guarded, security.server_certificate) as client:
        second = await nodes(guarded, client)["power"].read_value()
    assert [answer.values for answer in told(guarded, since)] == [(first,), (second,)]


async def test_an_opcua_server_refuses_to_lie_about_modbus_frames(opened: RunningPlant) -> None:
    answer = await opened.ask(do="mischief", kind="half_frame", machine="oven-1")
    assert answer == {"ok": False, "error": "half_frame: oven-1 cannot do that"}
