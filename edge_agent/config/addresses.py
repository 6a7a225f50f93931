"""Where Devices are reached: the addresses that a configuration may name, taken apart."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, urlsplit

SERIAL_OPTIONS = {"baudrate": "9600", "parity": "N", "stopbits": "1", "bytesize": "8"}
DEFAULT_PORTS = {"tcp": 502, "tls": 802}


class Link(StrEnum):
    """What carries Modbus."""

    TCP = "tcp"
    TLS = "tls"
    RTU = "rtu"


@dataclass(frozen=True, slots=True)
class BusAddress:
    """One line or one host:port; the settings behind it are equal for all units that share it."""

    link: Link
    host: str = ""
    port: int = 0
    path: str = ""
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1
    bytesize: int = 8

    @property
    def line(self) -> str:
        """Return what only one exchange at a time may use: the serial device, or host:port."""
        return self.path or f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.link}://{self.line}"


def parse_bus_url(url: str) -> BusAddress:
    """Return the address; raise ValueError where it is none of tcp://, tls:// and rtu://."""
    parts = urlsplit(url)
    if parts.scheme not in list(Link):
        raise ValueError(f"{url!r} is not tcp://HOST:PORT, tls://HOST:PORT or rtu:///dev/ttyX?baudrate=19200&parity=E")
    return _serial(parts) if parts.scheme == Link.RTU else _network(parts)


def _network(parts: SplitResult) -> BusAddress:
    if parts.path not in ("", "/") or parts.query:
        raise ValueError(f"{parts.geturl()!r} has a path or options; only {parts.scheme}://HOST:PORT is understood")
    if not parts.hostname:
        raise ValueError(f"{parts.geturl()!r} names no host")
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise ValueError(f"{parts.geturl()!r}: {error}") from error
    return BusAddress(Link(parts.scheme), host=parts.hostname, port=port)


def _serial(parts: SplitResult) -> BusAddress:
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError(f"{parts.geturl()!r}: a serial line is written rtu:///dev/ttyX, with three slashes")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(given.keys() - SERIAL_OPTIONS.keys())
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no serial option; allowed: {', '.join(SERIAL_OPTIONS)}")
    options = SERIAL_OPTIONS | given
    for name, allowed in (("parity", "NEO"), ("stopbits", "12"), ("bytesize", "78")):
        if len(options[name]) != 1 or options[name] not in allowed:
            raise ValueError(f"{name}={options[name]}: allowed are {', '.join(allowed)}")
    if not options["baudrate"].isdecimal() or not 50 <= int(options["baudrate"]) <= 4_000_000:
        raise ValueError(f"baudrate={options['baudrate']}: a whole number of 50 to 4000000")
    return BusAddress(
        Link.RTU,
        path=parts.path,
        baudrate=int(options["baudrate"]),
        parity=options["parity"],
        stopbits=int(options["stopbits"]),
        bytesize=int(options["bytesize"]),
    )
