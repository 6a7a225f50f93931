"""/ws with a stock client: the documented messages, who may come in, and what becomes of those who misbehave."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest
import websockets

from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from tests.support.cloud import arrival
from tests.support.live import LiveServer, hear, live_server, say, until

FIGURES = {
    "cpu_percent",
    "memory_percent",
    "disk_percent",
    "active_connections",
    "total_models",
    "active_training_jobs",
    "system_health",
    "api_response_time_ms",
    "ws_response_time_ms",
}


async def closing(connection: websockets.ClientConnection) -> tuple[int, str]:
    """Return code and reason with which the server ends a connection."""
    async with asyncio.timeout(60):
        with suppress(websockets.ConnectionClosedError):
            async for _ in connection:
                pass
    return connection.close_code or 0, connection.close_reason or ""


async def test_a_ping_is_answered_with_its_own_timestamp(live: LiveServer) -> None:
    async with live.connect() as connection:
        await say(connection, type="ping", timestamp=1640000000000)
        assert await hear(connection, "pong") == {"type": "pong", "timestamp": 1640000000000}


async def test_the_token_that_an_address_carries_is_not_logged(
    live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    token = live.cloud.key(Scope.DATA_READ)
    async with websockets.connect(live.ws(token=token)) as connection:
        await say(connection, type="ping", timestamp=1)
        await hear(connection, "pong")
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(f"{live.ws(token=token)}".replace("/ws?", "/other?"))
    assert token not in caplog.text


async def test_figures_come_at_once_and_by_themselves_and_are_the_documented_ones(live: LiveServer) -> None:
    async with live.connect() as connection:
        await hear(connection, "system_metrics")
        await say(connection, type="request_metrics")
        told = await hear(connection, "system_metrics")
        assert set(told) == FIGURES | {"type", "timestamp"}
        assert told["active_connections"] == 1
        assert told["system_health"] == (await live.cloud.api.services.doctor.examine()).status.value
        assert 0 < told["memory_percent"] < 100


async def test_a_training_is_told_as_documented(live: LiveServer) -> None:
    facts: dict[str, Any] = {
        "job_id": "job_1",
        "status": "training",
        "progress": 75,
        "current_stage": "Model validation",
    }
    async with live.connect() as connection:
        await say(connection, type="ping")
        await hear(connection, "pong")
        live.tell(NoticeKind.TRAINING_PROGRESS, "job_1", **facts, estimated_remaining="2m 15s")
        told = await hear(connection, "training_progress")
        assert told.items() >= {**facts, "estimated_remaining": "2m 15s", "seq": 1}.items()


async def test_without_a_token_the_first_message_may_bring_one(live: LiveServer) -> None:
    async with websockets.connect(live.ws()) as connection:
        await say(connection, type="auth", token=live.cloud.key(Scope.SYSTEM_READ))
        assert await hear(connection, "authenticated") == {"type": "authenticated"}
        await say(connection, type="ping", timestamp=1)
        await hear(connection, "pong")


@pytest.mark.parametrize("token", ["lsk_00000000_ffff", "eyJhbGciOiJub25lIn0.e30.", "%00"])
async def test_a_wrong_token_ends_the_connection(live: LiveServer, token: str) -> None:
    async with websockets.connect(live.ws(token=token)) as connection:
        code, reason = await closing(connection)
    assert code == 1008
    assert reason.startswith("unauthorized")


async def test_a_first_message_that_is_no_token_ends_the_connection(live: LiveServer) -> None:
    async with websockets.connect(live.ws()) as connection:
        await say(connection, type="request_metrics")
        assert (await closing(connection))[0] == 1008


async def test_a_key_hears_only_what_its_scopes_allow(live: LiveServer) -> None:
    async with live.connect(Scope.LEARNING_READ) as connection:
        await say(connection, type="request_metrics")
        assert (await hear(connection, "error"))["code"] == "MISSING_SCOPE"
        live.tell(NoticeKind.ALERT, "a")
        live.tell(NoticeKind.TASK_UPDATE, "b", task_id="b")
        assert (await hear(connection, "alert", "task_update"))["task_id"] == "b"


async def test_one_more_than_may_be_connected_is_closed_with_1013_and_a_reason(live: LiveServer) -> None:
    key = live.cloud.key(Scope.DATA_READ)
    open_ones = [await websockets.connect(live.ws(token=key)) for _ in range(100)]
    for connection in open_ones:
        await say(connection, type="ping")
        await hear(connection, "pong")
    async with websockets.connect(live.ws(token=key)) as connection:
        assert await closing(connection) == (1013, "100 are connected already: try again later")
    await open_ones.pop().close()
    await say(open_ones[0], type="ping")
    await hear(open_ones[0], "pong")
    async with websockets.connect(live.ws(token=key)) as connection:
        await say(connection, type="ping")
        await hear(connection, "pong")
    await asyncio.gather(*(connection.close() for connection in open_ones))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", "INVALID_FORMAT"),
        ("[]", "INVALID_FORMAT"),
        ('{"type": 7}', "INVALID_FORMAT"),
        ("[" * 10_000, "INVALID_FORMAT"),
        ('{"type": "drop tables"}', "UNKNOWN_TYPE"),
        ('{"type": "subscribe", "devices": [7]}', "INVALID_PARAMETERS"),
        ('{"type": "subscribe", "rate_hz": 1000}', "INVALID_PARAMETERS"),
        ('{"type": "subscribe", "colour": "red"}', "INVALID_PARAMETERS"),
        ('{"type": "replay", "since": -1}', "INVALID_PARAMETERS"),
    ],
)
async def test_what_makes_no_sense_is_answered_with_an_error_and_the_connection_goes_on(
    live: LiveServer, text: str, code: str
) -> None:
    async with live.connect() as connection:
        await connection.send(text)
        assert (await hear(connection, "error"))["code"] == code
        await say(connection, type="ping", timestamp=5)
        assert (await hear(connection, "pong"))["timestamp"] == 5


@pytest.mark.parametrize(("text", "expected"), [("x" * 20_000, 1009), ("x" * 100_000, 1009)])
async def test_a_message_that_is_too_large_ends_the_connection(live: LiveServer, text: str, expected: int) -> None:
    async with live.connect() as connection:
        await connection.send(text)
        assert (await closing(connection))[0] == expected


async def test_a_flood_of_messages_ends_the_connection(live: LiveServer) -> None:
    async with live.connect() as connection:
        for _ in range(200):
            await say(connection, type="ping")
        assert await closing(connection) == (1008, "too many messages")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_server_may_not_connect(live: LiveServer, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(live.ws(token=live.cloud.key(Scope.DATA_READ)), origin=websockets.Origin(origin))
    assert refused.value.response.status_code == 403


async def test_a_page_of_this_server_may_connect(live: LiveServer) -> None:
    origin = websockets.Origin(live.http)
    async with websockets.connect(live.ws(token=live.cloud.key(Scope.DATA_READ)), origin=origin) as connection:
        await say(connection, type="ping")
        await hear(connection, "pong")


async def test_a_host_name_that_is_not_ours_is_refused(live: LiveServer) -> None:
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect("ws://evil.example/ws", host="127.0.0.1", port=live.port)


async def test_who_was_away_hears_what_happened_meanwhile_in_order(live: LiveServer) -> None:
    now = to_datetime(live.cloud.clock.now_us())
    live.tell_many(*(NewNotice(NoticeKind.ALERT, now, f"a{number}") for number in range(600)))
    async with live.connect(since=3) as connection:
        told = [(await hear(connection, "alert"))["seq"] for _ in range(597)]
        assert told == list(range(4, 601))
        live.tell(NoticeKind.ALERT, "new")
        assert (await hear(connection, "alert"))["seq"] == 601


async def test_who_was_away_for_too_long_is_told_that_something_is_missing(live: LiveServer) -> None:
    live.tell(NoticeKind.ALERT, "a")
    async with live.connect(since=99) as connection:
        assert (await hear(connection, "replay_gap"))["data"] == {"since": 99, "replayed_from": 1, "seq": 1}


async def test_readings_come_of_devices_that_somebody_asked_for(live: LiveServer) -> None:
    now_us = live.cloud.clock.now_us()
    for device in ("pump-1", "pump-2"):
        await live.cloud.write(arrival(device=device, time_us=[now_us], value=[1.5]))
    async with live.connect() as connection:
        await say(connection, type="subscribe", devices=["pump-1"], rate_hz=10)
        assert (await hear(connection, "subscribed"))["devices"] == ["pump-1"]
        told = (await hear(connection, "device_update"))["data"]
        assert (told["device_id"], told["gateway_id"], told["values"]) == ("pump-1", "gw-1", {"flow": 1.5})
        await live.cloud.write(arrival(device="pump-2", time_us=[now_us + 1], value=[9.0]))
        await live.cloud.write(arrival(device="pump-1", time_us=[now_us + 1], value=[float("nan")]))
        again = (await hear(connection, "device_update"))["data"]
        assert (again["device_id"], again["values"]) == ("pump-1", {"flow": None})


async def test_readings_of_many_devices_come_in_one_message_to_who_asks_for_that(live: LiveServer) -> None:
    now_us = live.cloud.clock.now_us()
    names = [f"pump-{number}" for number in range(250)]
    await asyncio.gather(*(live.cloud.write(arrival(device=name, time_us=[now_us], value=[1.0])) for name in names))
    async with live.connect() as connection:
        await say(connection, type="subscribe", devices=names, rate_hz=10, together=True)
        sizes: list[int] = []
        seen: dict[str, Any] = {}
        while len(seen) < len(names):
            told = await hear(connection, "device_updates", "device_update")
            sizes.append(len(told["data"]["devices"]))
            seen |= {one["device_id"]: one for one in told["data"]["devices"]}
        assert (max(sizes), len(sizes)) == (200, 2)
        one = {"device_id": "pump-7", "gateway_id": "gw-1", "values": {"flow": 1.0}, "quality": {"flow": "good"}}
        assert seen["pump-7"].items() >= one.items()
        await live.cloud.write(arrival(device="pump-7", time_us=[now_us + 1], value=[2.0]))
        again = (await hear(connection, "device_updates"))["data"]["devices"]
        assert [(one["device_id"], one["values"]) for one in again] == [("pump-7", {"flow": 2.0})]
        await say(connection, type="subscribe", devices=["pump-7"], rate_hz=10, together=False)
        await hear(connection, "subscribed")
        await live.cloud.write(arrival(device="pump-7", time_us=[now_us + 2], value=[3.0]))
        assert (await hear(connection, "device_update"))["data"]["values"] == {"flow": 3.0}


async def test_the_last_reading_of_a_stream_is_told_however_fast_it_was(live: LiveServer) -> None:
    now_us = live.cloud.clock.now_us()
    async with live.connect() as connection:
        await live.cloud.write(arrival(device="pump-1", time_us=[now_us], value=[0.0]))
        await say(connection, type="subscribe", devices=["pump-1"], rate_hz=2)
        for step in range(1, 30):
            await live.cloud.write(arrival(device="pump-1", time_us=[now_us + step], value=[float(step)]))
        told: list[float] = []
        while not told or told[-1] < 29:
            told.append((await hear(connection, "device_update"))["data"]["values"]["flow"])
        assert told == sorted(set(told))


async def test_a_reading_that_is_older_than_another_of_its_device_is_told_too(live: LiveServer) -> None:
    now_us = live.cloud.clock.now_us()
    await live.cloud.write(arrival(device="pump-1", tag="flow", time_us=[now_us], value=[1.0]))
    async with live.connect() as connection:
        await say(connection, type="subscribe", devices=["pump-1"], rate_hz=10)
        await hear(connection, "device_update")
        await live.cloud.write(arrival(device="pump-1", tag="speed", time_us=[now_us - 5], value=[7.0]))
        told = (await hear(connection, "device_update"))["data"]
        assert told["values"] == {"flow": 1.0, "speed": 7.0}


async def test_who_left_the_plant_hears_of_its_devices_only(live: LiveServer) -> None:
    async with live.connect() as connection:
        await say(connection, type="unsubscribe", plant=True)
        await say(connection, type="subscribe", sites=["gw-2"])
        await hear(connection, "subscribed")
        live.tell(NoticeKind.ALERT, "a", device="pump-1", gateway="gw-1")
        live.tell(NoticeKind.ALERT, "b", device="pump-2", gateway="gw-2")
        assert (await hear(connection, "alert"))["data"]["device_id"] == "pump-2"


async def test_a_client_that_never_answers_pings_is_dropped(live: LiveServer) -> None:
    async with live_server(live.cloud, ws_ping_interval=0.05, ws_ping_timeout=0.1) as quick:
        reader, writer = await asyncio.open_connection("127.0.0.1", quick.port)
        key = live.cloud.key(Scope.DATA_READ)
        lines = (f"GET /ws?token={key} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade")
        rest = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "")
        writer.write("\r\n".join((*lines, *rest)).encode())
        async with asyncio.timeout(60):
            while await reader.read(1000):
                pass
        writer.close()
        await until(lambda: live.cloud.api.hub.connections == 0)


async def test_a_revoked_key_is_put_out(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.live.hub.CHECKED_EVERY_S", 0.05)
    key = live.cloud.key(Scope.DATA_READ)
    async with websockets.connect(live.ws(token=key)) as connection:
        await say(connection, type="ping")
        await hear(connection, "pong")
        live.cloud.api.services.keys.revoke(key.split("_")[1], by="test")
        code, reason = await closing(connection)
    assert (code, "revoked" in reason) == (1008, True)
