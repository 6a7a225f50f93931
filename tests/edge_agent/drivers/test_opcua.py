"""The OPC UA driver against a real server: changes, security, restarts, and nodes that are not what they should be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import ua

from edge_agent.config.devices import OpcuaDevice, OpcuaSecurity, OpcuaTag, SecurityMode, SecurityPolicy
from edge_agent.drivers.opcua import OpcuaDriver
from edge_agent.errors import DeviceError, DeviceLost, DeviceRefused
from edge_agent.polling.poller import DeviceChange, PolledDevice, PolledTag, Poller
from edge_agent.wiring.site import SystemClock
from protocols.reading import Quality, ReadingBlock
from protocols.tag import DataType
from tests.support.drivers import half, qualities, values
from tests.support.opcua_server import CLIENT_URI, SERVER_URI, OpcuaTestServer, make_pair
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPES = {
    "double": (ua.Variant(1.5, ua.VariantType.Double), DataType.FLOAT64),
    "int": (ua.Variant(-7, ua.VariantType.Int32), DataType.INT32),
    "big": (ua.Variant(2**64 - 1, ua.VariantType.UInt64), DataType.UINT64),
    "bool": (ua.Variant(True, ua.VariantType.Boolean), DataType.BOOL),  # noqa: FBT003 - the library's signature
    "text": (ua.Variant("läuft", ua.VariantType.String), DataType.TEXT),
}
EXPECTED = {0: 1.5, 1: -7, 2: 2**64 - 1, 3: 1, 4: "läuft"}
LOGIN = {"username": "operator", "password": "env:SECRET"}
POLICIES = {
    SecurityPolicy.BASIC256SHA256: "Basic256Sha256",
    SecurityPolicy.AES128_SHA256_RSAOAEP: "Aes128Sha256RsaOaep",
    SecurityPolicy.AES256_SHA256_RSAPSS: "Aes256Sha256RsaPss",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[OpcuaTestServer]:
    running = OpcuaTestServer({name: variant for name, (variant, _) in TYPES.items()})
    await running.start()
    yield running
    await running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(folder: Path) -> AsyncIterator[OpcuaTestServer]:
    policies = tuple(
        ua.SecurityPolicyType[f"{name}_{mode}"] for name in POLICIES.values() for mode in ("Sign", "SignAndEncrypt")
    )
    running = OpcuaTestServer(
        {"double": TYPES["double"][0]},
        policies=policies,
        pair=await make_pair(folder, "server", SERVER_URI),
        user=("operator", "correct horse"),
    )
    await running.start()
    yield running
    await running.stop()


def device(server: OpcuaTestServer, *tags: OpcuaTag, **settings: object) -> OpcuaDevice:
    given = {"timeout_s": 2.0, "period_s": 0.05} | settings
    return OpcuaDevice(id="oven", url=server.url, tags=tags, **given)  # type: ignore[arg-type]  # any setting there is


def every_tag() -> tuple[OpcuaTag, ...]:
    return tuple(OpcuaTag(name=name, node=f"ns=2;s={name}", type=kind) for name, (_, kind) in TYPES.items())


@asynccontextmanager
async def opened(settings: OpcuaDevice, password: str = "") -> AsyncIterator[OpcuaDriver]:
    driver = OpcuaDriver(settings, first_tag=0, clock=SystemClock(), password=password)
    await driver.open()
    yield driver
    await driver.close()


async def test_every_type_is_read(server: OpcuaTestServer) -> None:
    async with opened(device(server, *every_tag())) as driver:
        assert values(await driver.read((0, 1, 2, 3, 4))) == EXPECTED


async def test_every_type_is_told_when_it_changes_and_nothing_is_left_to_polling(server: OpcuaTestServer) -> None:
    told: dict[int, float | str | None] = {}
    async with opened(device(server, *every_tag())) as driver:
        assert await driver.subscribe((0, 1, 2, 3, 4), lambda block: told.update(values(block))) == ()
        await until(lambda: told == EXPECTED)
        await server.set("int", ua.Variant(8, ua.VariantType.Int32))
        await until(lambda: told[1] == 8)
        await server.set("int", TYPES["int"][0])


async def test_no_change_between_two_messages_is_lost(server: OpcuaTestServer) -> None:
    told: list[float | str | None] = []

    def keep(block: ReadingBlock) -> None:
        told.extend(block.columns[0].value.tolist())

    async with opened(device(server, every_tag()[1], period_s=0.0)) as driver:
        await driver.subscribe((0,), keep)
        await until(lambda: told)
        for value in range(100, 110):
            await server.set("int", ua.Variant(value, ua.VariantType.Int32))
        await until(lambda: told[-1] == 109)
        assert told[1:] == list(range(100, 110))
        await server.set("int", TYPES["int"][0])


async def test_a_node_that_is_not_there_does_not_stop_the_others_and_is_noticed_when_it_comes(
    server: OpcuaTestServer,
) -> None:
    tags = (OpcuaTag(name="missing", node="ns=2;s=nowhere"), OpcuaTag(name="odd", node="ns=2;i=no number"))
    told: dict[int, float | str | None] = {}
    async with opened(device(server, every_tag()[0], *tags)) as driver:
        assert set(await driver.subscribe((0, 1, 2), lambda block: told.update(values(block)))) == {1, 2}
        await until(lambda: told == {0: 1.5})
        block = await driver.read((0, 1, 2))
        assert values(block) == {0: 1.5, 1: None, 2: None}
        assert qualities(block)[1] is Quality.CONFIGURATION_ERROR
        assert qualities(block)[2] is Quality.CONFIGURATION_ERROR


async def test_a_value_of_another_type_is_bad_and_has_no_value(server: OpcuaTestServer) -> None:
    wrong = tuple(OpcuaTag(name=name, node=f"ns=2;s={name}", type=DataType.INT16) for name in ("text", "double", "int"))
    async with opened(device(server, *wrong)) as driver:
        block = await driver.read((0, 1, 2))
    assert values(block) == {0: None, 1: None, 2: -7}
    assert qualities(block)[0] is Quality.CONFIGURATION_ERROR


async def test_the_servers_status_and_time_are_kept(server: OpcuaTestServer) -> None:
    at = ua.uatypes.DateTime.fromtimestamp(SystemClock().now_us() // 1_000_000 - 60)
    await server.set("double", ua.Variant(2.5, ua.VariantType.Double), status=0x4090_0000, at=at)
    async with opened(device(server, every_tag()[0])) as driver:
        block = await driver.read((0,))
    assert qualities(block) == {0: Quality.STALE}
    assert values(block) == {0: 2.5}
    await server.set("double", TYPES["double"][0])


async def test_what_is_written_arrives_and_what_does_not_fit_is_refused(server: OpcuaTestServer) -> None:
    async with opened(device(server, *every_tag())) as driver:
        for tag, value in ((0, 9.25), (1, 12), (3, 0), (4, "steht")):
            await driver.write(tag, value)
        assert values(await driver.read((0, 1, 3, 4))) == {0: 9.25, 1: 12, 3: 0, 4: "steht"}
        with pytest.raises(DeviceError, match="cannot be set"):
            await driver.write(0, "no number")
    for name, (variant, _) in TYPES.items():
        await server.set(name, variant)


async def test_a_node_that_cannot_be_written_says_so(server: OpcuaTestServer) -> None:
    tag = OpcuaTag(name="missing", node="ns=2;s=nowhere", type=DataType.INT32)
    async with opened(device(server, tag)) as driver:
        with pytest.raises(DeviceRefused, match="cannot be set to 1"):
            await driver.write(0, 1)


async def test_a_server_that_was_restarted_is_subscribed_anew(server: OpcuaTestServer) -> None:
    blocks: list[ReadingBlock] = []
    changes: list[DeviceChange] = []

    class Sink:
        def accept(self, block: ReadingBlock) -> None:
            blocks.append(block)

    settings = device(server, every_tag()[0], timeout_s=1.0)
    polled = PolledDevice("oven", {0: PolledTag(0.05, settings.tags[0].kind)}, most_probe_s=4.0)
    driver = OpcuaDriver(settings, first_tag=0, clock=SystemClock())
    poller = Poller(polled, driver, sink=Sink(), clock=SystemClock(), jitter=half, tell=changes.append)
    task = asyncio.ensure_future(poller.run())
    await until(lambda: blocks)
    await server.stop()
    await until(lambda: [change.is_lost for change in changes] == [True])
    assert qualities(blocks[-1]) == {0: Quality.DEVICE_LOST}
    await server.start()
    await until(lambda: [change.is_lost for change in changes] == [True, False])
    await server.set("double", ua.Variant(77.0, ua.VariantType.Double))
    await until(lambda: values(blocks[-1]) == {0: 77.0})
    assert changes[1].at_us - changes[0].at_us < 10_000_000
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await server.set("double", TYPES["double"][0])


async def security(folder: Path, policy: SecurityPolicy, mode: SecurityMode, pinned: str = "server") -> OpcuaSecurity:
    certificate, key = await make_pair(folder, "client", CLIENT_URI)
    return OpcuaSecurity(
        policy=policy, mode=mode, certificate=certificate, key=key, server_certificate=folder / f"{pinned}.der"
    )


@pytest.mark.parametrize("mode", SecurityMode)
@pytest.mark.parametrize("policy", POLICIES)
async def test_a_protected_server_is_read_and_tells_its_changes(
    secured: OpcuaTestServer, folder: Path, policy: SecurityPolicy, mode: SecurityMode
) -> None:
    told: dict[int, float | str | None] = {}
    protected = {"security": await security(folder, policy, mode), "application_uri": CLIENT_URI}
    settings = device(secured, every_tag()[0], **LOGIN, **protected)
    async with opened(settings, "correct horse") as driver:
        assert values(await driver.read((0,))) == {0: 1.5}
        await driver.subscribe((0,), lambda block: told.update(values(block)))
        await until(lambda: told == {0: 1.5})


async def test_a_wrong_password_a_wrong_certificate_and_no_protection_open_nothing(
    secured: OpcuaTestServer, folder: Path
) -> None:
    await make_pair(folder, "impostor", SERVER_URI)
    policy, mode = SecurityPolicy.BASIC256SHA256, SecurityMode.SIGN_AND_ENCRYPT
    right = {"application_uri": CLIENT_URI, **LOGIN}
    tag = every_tag()[0]
    secure = device(secured, tag, security=await security(folder, policy, mode), **right)
    impostor = device(secured, tag, security=await security(folder, policy, mode, "impostor"), **right)
    attempts = [
        (secure, "wrong", "BadUserAccessDenied"),
        (impostor, "correct horse", ""),
        (device(secured, tag), "", "No matching endpoints"),
    ]
    for settings, password, reason in attempts:
        driver = OpcuaDriver(settings, first_tag=0, clock=SystemClock(), password=password)
        with pytest.raises(DeviceLost, match=rf"cannot open opc\.tcp.*{reason}"):
            await driver.open()
        await driver.close()


async def test_a_server_that_takes_few_nodes_at_once_is_asked_for_few(server: OpcuaTestServer) -> None:
    async with opened(device(server, *every_tag() * 100)) as driver:
        with server.limiting_reads(150):
            for _ in range(2):
                with pytest.raises(DeviceLost, match="BadTooManyOperations"):
                    await driver.read(tuple(range(500)))
                await driver.open()
            block = await driver.read(tuple(range(500)))
    assert values(block) == {tag: EXPECTED[tag % 5] for tag in range(500)}
