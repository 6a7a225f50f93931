"""A connection that stands and says nothing is given up, ever more patiently, and a sign of life is enough."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.delivery.silence import Silence
from tests.faults.conditions import GOOD, Conditions, Way
from tests.faults.proxy import FaultProxy
from tests.support.batches import block, tag_table
from tests.support.broker import Broker
from tests.support.edge_line import EdgeLine
from tests.support.small_store import SmallStore
from tests.support.waiting import until

TABLE = tag_table(4)


def make() -> Silence:
    return Silence(random=lambda: 0.5, shortest_s=60.0)


def test_nothing_is_given_up_while_nothing_is_awaited() -> None:
    silence = make()
    silence.connected()
    assert silence.ends_s(0.0, awaits=False) is None
    assert silence.ends_s(1e6, awaits=False) is None


def test_the_end_comes_after_the_same_time_however_often_one_asks_and_later_after_a_sign_of_life() -> None:
    silence = make()
    silence.connected()
    assert silence.ends_s(10.0, awaits=True) == 70.0
    assert silence.ends_s(69.0, awaits=True) == 70.0
    silence.heard()
    assert silence.ends_s(69.0, awaits=True) == 129.0


def test_patience_doubles_with_each_silent_connection_to_five_minutes() -> None:
    silence = make()
    waited = []
    for _ in range(5):
        silence.connected()
        waited.append(silence.ends_s(0.0, awaits=True))
    assert waited == [60.0, 120.0, 240.0, 300.0, 300.0]
    silence.heard()
    silence.connected()
    assert silence.ends_s(0.0, awaits=True) == 60.0


def test_agents_do_not_give_up_all_at_once() -> None:
    assert Silence(random=lambda: 0.0).ends_s(0.0, awaits=True) == pytest.approx(48.0)
    assert Silence(random=lambda: 0.999).ends_s(0.0, awaits=True) == pytest.approx(72.0, abs=0.1)


async def test_a_line_on_which_no_ack_comes_is_dialled_again(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, FaultProxy(broker.port, seed=1, tell=lambda _: None) as proxy:
        store = SmallStore(broker.host, broker.port)
        await store.start()
        line = EdgeLine(tmp_path, proxy.port, TABLE, silence_s=0.3)
        line.start()
        await until(lambda: proxy.connections == 1 and line.sender.connection.is_up)
        proxy.switch(Conditions(down=Way(swallows=True)))
        line.sealer.accept(block([1.0, 2.0, 3.0, 4.0], at_us=1_790_000_000_000_000))
        await until(lambda: proxy.connections >= 2)
        proxy.switch(GOOD)
        async with asyncio.timeout(20):
            while (await line.buffer.ledger()).batches_waiting:  # noqa: ASYNC110 - asks a disk, which tells nobody
                await asyncio.sleep(0.02)
        await line.stop()
        await store.stop()
