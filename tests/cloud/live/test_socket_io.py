"""/socket.io/ with the stock client, by polling and by WebSocket: who may come in, what they hear, what comes again."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import pytest
import socketio

from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from tests.support.cloud import arrival
from tests.support.live import LIVE, LiveServer, until

PATIENCE_S = 30
"""How long a stock client may wait for its namespace: its own second is short on a busy machine."""

POLLING = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The stock client forgets the connection of its last poll."""


class Listener:
    """A stock client that keeps what it hears."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession()
        self.client: Any = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self.heard: list[tuple[str, Any]] = []
        self.refused: list[Any] = []
        self.client.on("*", self._hear)
        self.client.on("connect_error", self.refused.append)

    def _hear(self, event: str, *data: Any) -> None:  # noqa: ANN401 - JSON
        self.heard.append((event, data[0] if data else None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()
        await self._http.close()
        gc.collect()

    def of(self, event: str) -> list[Any]:
        """Return what came under this name."""
        return [data for name, data in self.heard if name == event]

    async def next(self, event: str, count: int = 1) -> list[Any]:
        """Return what came under this name once there are so many."""
        await until(lambda: len(self.of(event)) >= count)
        return self.of(event)


@asynccontextmanager
async def listening(
    live: LiveServer, *scopes: Scope, ways: Sequence[str] = ("websocket",), **auth: object
) -> AsyncIterator[Listener]:
    token = live.cloud.key(*(scopes or LIVE))
    async with Listener() as listener:
        await listener.client.connect(
            live.http, auth={"token": token, **auth}, transports=list(ways), wait_timeout=PATIENCE_S
        )
        yield listener


@POLLING
@pytest.mark.parametrize("ways", [["polling"], ["websocket"], ["polling", "websocket"]])
async def test_a_stock_client_hears_of_alarms(live: LiveServer, ways: list[str]) -> None:
    async with listening(live, ways=ways) as listener:
        assert listener.client.get_sid()
        live.tell(NoticeKind.ALERT, "a1", device="pump-1", gateway="gw-1", severity="critical")
        (told,) = await listener.next("alert")
        assert told.items() >= {"severity": "critical", "device_id": "pump-1", "seq": 1}.items()


@POLLING
@pytest.mark.parametrize(
    ("auth", "ways"),
    [
        (None, ["polling"]),
        ({"token": "lsk_00000000_ff"}, ["websocket"]),
        (None, ["websocket"]),
        ({"token": ""}, ["websocket"]),
        ({"token": 7}, ["websocket"]),
        ("token", ["websocket"]),
        ([], ["websocket"]),
    ],
)
async def test_without_a_good_token_there_is_a_connect_error(live: LiveServer, auth: object, ways: list[str]) -> None:
    async with Listener() as listener:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await listener.client.connect(live.http, auth=auth, transports=ways)
        await until(lambda: bool(listener.refused))
    assert listener.refused[0]["message"] == "unauthorized"
    assert live.cloud.api.hub.connections == 0


async def test_every_kind_of_notice_arrives_under_its_name(live: LiveServer) -> None:
    now = to_datetime(live.cloud.clock.now_us())
    async with listening(live) as listener:
        live.tell_many(*(NewNotice(kind, now, "it", {"status": "x"}) for kind in NoticeKind))
        for kind in NoticeKind:
            await listener.next(kind.value)
        await listener.next("system_metrics")
        assert [data["seq"] for _, data in listener.heard if "seq" in data] == list(range(1, len(NoticeKind) + 1))


async def test_readings_come_once_a_second_at_most_and_only_new_ones(live: LiveServer) -> None:
    now_us = live.cloud.clock.now_us()
    await live.cloud.write(arrival(device="pump-1", time_us=[now_us], value=[1.0]))
    async with listening(live) as listener:
        answer = await listener.client.call("subscribe", {"devices": ["pump-1"]})
        assert answer.items() >= {"status": "subscribed", "devices": ["pump-1"], "plant": True}.items()
        await listener.next("device_update")
        for step in range(1, 30):
            await live.cloud.write(arrival(device="pump-1", time_us=[now_us + step], value=[1.0 + step]))
        await until(lambda: listener.of("device_update")[-1]["values"] == {"flow": 30.0})
        assert len(listener.of("device_update")) < 29
        await listener.client.call("unsubscribe", {"devices": ["pump-1"]})


async def test_who_comes_back_is_told_what_it_missed_and_nothing_twice(live: LiveServer) -> None:
    live.tell(NoticeKind.ALERT, "a")
    async with listening(live, since=0) as first:
        seen = (await first.next("alert"))[-1]["seq"]
    for name in "bc":
        live.tell(NoticeKind.ALERT, name)
    async with listening(live, since=seen) as second:
        live.tell(NoticeKind.ALERT, "d")
        assert [one["seq"] for one in await second.next("alert", 3)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("subscribe", {"devices": "pump-1"}, "INVALID_PARAMETERS"),
        ("subscribe", {"devices": ["x"] * 501}, "INVALID_PARAMETERS"),
        ("subscribe", 7, "INVALID_PARAMETERS"),
        ("replay", {}, "INVALID_PARAMETERS"),
        ("authenticate", {"token": "lsk_00000000_ff"}, "UNKNOWN_API_KEY"),
        ("drop", {"tables": True}, "UNKNOWN_EVENT"),
    ],
)
async def test_what_makes_no_sense_is_answered_with_an_error(
    live: LiveServer, event: str, data: object, code: str
) -> None:
    async with listening(live) as listener:
        answer = await listener.client.call(event, data)
        assert (answer["status"], answer["code"]) == ("error", code)


async def test_a_flood_of_messages_drops_the_client_and_says_why(live: LiveServer) -> None:
    async with listening(live) as listener:
        for _ in range(200):
            await listener.client.emit("request_metrics")
        await until(lambda: not listener.client.connected)
        assert live.cloud.api.hub.connections == 0


async def test_a_key_hears_only_what_its_scopes_allow(live: LiveServer) -> None:
    async with listening(live, Scope.DATA_READ) as listener:
        live.tell(NoticeKind.ALERT, "a")
        live.tell(NoticeKind.HEALTH_SCORE_UPDATE, "b", device="pump-1")
        await listener.next("health_score_update")
        assert listener.of("alert") == []


async def test_a_page_of_another_server_gets_no_connection(live: LiveServer) -> None:
    auth = {"token": live.cloud.key(Scope.DATA_READ)}
    async with Listener() as listener:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await listener.client.connect(live.http, headers={"Origin": "https://evil.example"}, auth=auth)


async def test_who_is_gone_leaves_nothing_behind(live: LiveServer) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(_come_and_go(live))
    await until(lambda: live.cloud.api.hub.connections == 0)
    names = ("live feed", "socket.io", "device updates", "system metrics")
    await until(lambda: not [task for task in asyncio.all_tasks() if task.get_name() in names])


async def _come_and_go(live: LiveServer) -> None:
    async with listening(live) as listener:
        await listener.next("system_metrics")
