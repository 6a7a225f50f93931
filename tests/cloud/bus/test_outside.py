"""Outside: nobody reaches the plant through a webhook, whatever its URL says and whatever its name resolves to."""

import socket
import ssl
import threading
import time
from ipaddress import ip_address

import pytest

from cloud.bus.http import Outside, post
from cloud.domain.outside import Address, parse_place, refusal
from cloud.errors import Forbidden, Invalid, Unavailable
from tests.support.receiver import Receiver

TLS = ssl.create_default_context()
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - it is refused
    "169.254.169.254",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "::7f00:1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_no_private_address_is_talked_to(text: str) -> None:
    assert refusal(ip_address(text), allow_private=False)


@pytest.mark.parametrize("text", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254", "224.0.0.1"])
def test_where_machines_keep_their_credentials_is_never_talked_to(text: str) -> None:
    assert refusal(ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1"])
def test_a_plant_may_allow_its_own_network(text: str) -> None:
    assert not refusal(ip_address(text), allow_private=True)


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1::1"])
def test_the_world_outside_may_be_talked_to(text: str) -> None:
    assert not refusal(ip_address(text), allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://",
        "http:///x",
        "http://user:secret@example.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://[::1",
        "http://" + "a" * 70 + ".example/",
        "http://example.com/ü",
        "http://example.com/" + "a" * 2000,
    ],
)
def test_what_is_no_plain_url_of_http_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_place(url)
    assert refused.value.details["field"] == "url"


def test_the_address_that_was_judged_is_the_one_that_is_connected_to() -> None:
    """A name that resolves to another address the second time gains nothing: it is asked once."""
    answers: list[Address] = [ip_address("127.0.0.1"), ip_address("127.0.0.2")]
    with Receiver() as receiver:
        place = parse_place(f"http://rebinding.example:{receiver.port}/x")
        outside = Outside(TLS, 2.0, lambda _host, _port: [answers.pop(0)])
        assert post(outside, place, {}, b"{}", allow_private=True) == 200
        assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"
    assert len(answers) == 1


def test_a_name_with_one_private_address_among_others_is_refused() -> None:
    addresses = [ip_address("93.184.216.34"), ip_address("127.0.0.1")]
    outside = Outside(TLS, 2.0, lambda _host, _port: addresses)
    with pytest.raises(Forbidden):
        post(outside, parse_place("http://mixed.example/"), {}, b"{}", allow_private=False)


def test_a_target_that_drips_byte_by_byte_is_given_up_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    outside = Outside(TLS, 0.5, lambda _host, _port: [ip_address("127.0.0.1")])
    with pytest.raises(Unavailable, match="no answer in"):
        post(outside, parse_place(f"http://slow:{listener.getsockname()[1]}/"), {}, b"{}", allow_private=True)
    stop.set()
    thread.join()
    listener.close()
    assert time.monotonic() - begun < 10
