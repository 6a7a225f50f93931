"""The fault proxy does to a connection what its conditions say, and nothing while they are good."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.conditions import GOOD, Conditions, Way
from tests.faults.proxy import FaultProxy
from tests.support.waiting import wait_until


class Echo:
    """Sends back what it gets."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    data = connection.recv(4096)
                    connection.sendall(data)
                except OSError:
                    return
                if not data:
                    return


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    echo = Echo()
    with FaultProxy(echo.port, seed=1, tell=lambda _: None) as started:
        yield started
    echo.listener.shutdown(socket.SHUT_RDWR)
    echo.listener.close()


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def ask(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    answer = b""
    while len(answer) < len(data):
        more = connection.recv(65536)
        if not more:
            break
        answer += more
    return answer


def is_torn(connection: socket.socket) -> bool:
    try:
        ask(connection, bytes(200))
    except ConnectionError:
        return True
    return False


def test_a_good_network_changes_nothing(proxy: FaultProxy) -> None:
    data = bytes(range(256)) * 400
    with closing(connect(proxy)) as connection:
        assert ask(connection, data) == data


def test_latency_delays_and_keeps_the_order(proxy: FaultProxy) -> None:
    proxy.switch(Conditions.both(Way(latency_s=0.05, jitter_s=0.04)))
    data = bytes(range(256))
    with closing(connect(proxy)) as connection:
        begun_s = time.monotonic()
        assert b"".join(ask(connection, data[n : n + 64]) for n in range(0, 256, 64)) == data
        assert time.monotonic() - begun_s >= 4 * 2 * 0.01


def test_single_bytes_and_slow_lines_carry_everything(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as connection:
        proxy.switch(Conditions.both(Way(segment_bytes=1)))
        assert ask(connection, b"one by one") == b"one by one"
        proxy.switch(Conditions.both(Way(bytes_per_s=8000)))
        begun_s = time.monotonic()
        assert ask(connection, bytes(800)) == bytes(800)
        assert time.monotonic() - begun_s >= 0.05


def test_a_stall_holds_back_and_lets_go(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as connection:
        proxy.switch(Conditions(down=Way(stalls=True)))
        connection.sendall(b"later")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        proxy.switch(GOOD)
        connection.settimeout(5)
        assert connection.recv(10) == b"later"


@pytest.mark.parametrize("conditions", [Conditions(up=Way(swallows=True)), Conditions(down=Way(swallows=True))])
def test_what_is_swallowed_never_comes_and_the_connection_stays_open(proxy: FaultProxy, conditions: Conditions) -> None:
    with closing(connect(proxy)) as connection:
        assert ask(connection, b"before") == b"before"
        proxy.switch(conditions)
        connection.sendall(b"gone")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        proxy.switch(GOOD)
        connection.sendall(b"no stream has gaps")
        with pytest.raises(TimeoutError):
            connection.recv(10)
        with closing(connect(proxy)) as other:
            assert ask(other, b"after") == b"after"


def test_a_connection_is_reset_after_so_many_bytes(proxy: FaultProxy) -> None:
    proxy.switch(Conditions(reset_every=1000))
    with closing(connect(proxy)) as connection:
        assert ask(connection, bytes(400)) == bytes(400)
        wait_until(lambda: is_torn(connection))


def test_bits_flip_alike_for_the_same_seed() -> None:
    bent = []
    for _ in range(2):
        echo = Echo()
        with FaultProxy(echo.port, seed=5, tell=lambda _: None) as proxy:
            proxy.switch(Conditions(up=Way(flip_every=100)))
            with closing(connect(proxy)) as connection:
                bent.append(b"".join(ask(connection, bytes(100)) for _ in range(20)))
        echo.listener.close()
    assert bent[0] == bent[1]
    assert 5 < sum(byte.bit_count() for byte in bent[0]) < 60


def test_a_proxy_that_refuses_lets_nobody_in_and_others_later(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as connection:
        assert ask(connection, b"x") == b"x"
        proxy.switch(Conditions(refuses=True))
        wait_until(lambda: is_torn(connection))
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.switch(GOOD)
    with closing(connect(proxy)) as connection:
        assert ask(connection, b"y") == b"y"


def test_every_switch_is_told() -> None:
    told: list[str] = []
    with FaultProxy(1, seed=1, tell=told.append, name="network") as proxy:
        proxy.switch(Conditions(up=Way(latency_s=0.2, jitter_s=0.1), reset_every=20_000))
        proxy.switch(GOOD)
    assert told == ["network: up latency_s=0.2 jitter_s=0.1, reset every 20000 bytes", "network: good"]
