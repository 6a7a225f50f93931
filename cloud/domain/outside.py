"""Outside: which addresses the cloud may talk to on somebody's behalf, so that nobody reaches the plant through it.

A name is judged by what it resolves to, at the moment of connecting. With `allow_private` a plant's own network and
this machine are allowed; link-local addresses, where clouds keep their credentials, never are.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from cloud.domain.webhook import MAX_URL
from cloud.errors import Invalid

Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_PORTS = {"http": 80, "https": 443}
_CONTROL = frozenset(map(chr, (*range(33), 127)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an HTTP request goes: the name is for the certificate and the Host header, the path holds the query."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """Return the name as the Host header has it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS["https" if self.is_tls else "http"] else f"{name}:{self.port}"


def parse_place(url: str) -> Place:
    """Return where a URL of http or https leads; raise Invalid that names the field url."""
    parts, port = _split(url)
    if parts.scheme not in _PORTS:
        raise _wrong(f"write http:// or https://, not {parts.scheme!r:.40}")
    if not parts.hostname:
        raise _wrong("it names no host")
    if parts.username is not None or parts.password is not None:
        raise _wrong("it holds a name or a password: receivers know us by the signature")
    try:
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _wrong("its host is no host name") from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise _wrong("write other than ASCII characters as %xx")
    return Place(parts.scheme == "https", host, port if port is not None else _PORTS[parts.scheme], path)


def _split(url: str) -> tuple[SplitResult, int | None]:
    if len(url) > MAX_URL:
        raise _wrong(f"it is longer than {MAX_URL} characters")
    if _CONTROL & set(url):
        raise _wrong("it holds blanks or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong(f"it is no URL: {error}") from error
    if port == 0:
        raise _wrong("port 0 is none")
    return parts, port


def refusal(address: Address, *, allow_private: bool) -> str:
    """Return why an address may not be talked to, empty where it may."""
    inner = _inner(address)
    if inner in _METADATA or inner.is_link_local:
        return f"{address} is link-local, where machines keep their credentials"
    if inner.is_multicast or inner.is_unspecified or (inner.is_reserved and not inner.is_private):
        return f"{address} is no address of one machine"
    if allow_private or inner.is_global:
        return ""
    return f"{address} is a private or loopback address: set webhooks.allow_private to reach it"


def _inner(address: Address) -> Address:
    """Return the IPv4 address inside of an IPv6 one that a gateway or the kernel would unpack, else the same."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo is not None else address)


def _wrong(issue: str) -> Invalid:
    return Invalid(f"url: {issue}", code="INVALID_TARGET", details={"field": "url", "issue": issue})
