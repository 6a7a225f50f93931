"""`doctor`: looks for what keeps a gateway from working (clock, disk, broker, names, permissions) and says the fix."""

import os
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import typer

from edge_agent.commands.output import DEFAULT_CONFIG, AsJson, ConfigPath, Exit, load_or_exit, print_json, print_table
from edge_agent.config.schema import AgentSettings, UplinkSettings
from edge_agent.delivery.clock_watch import BUILT_US

CONNECT_S = 5.0
RESERVE_MIB = 64


class Examined(msgspec.Struct, frozen=True):
    """One thing that was looked at; fix: what to do, empty where all is well."""

    subject: str
    is_well: bool
    finding: str
    fix: str = ""


def doctor(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Look for what keeps this gateway from working; every finding comes with its fix."""
    settings = load_or_exit(config)
    found = examine(settings, config)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        print_table(
            ("", "SUBJECT", "FINDING", "FIX"),
            (("ok" if each.is_well else "FAILS", each.subject, each.finding, each.fix) for each in found),
        )
    if not all(each.is_well for each in found):
        raise typer.Exit(Exit.FAILURE)


def examine(settings: AgentSettings, config: Path) -> list[Examined]:
    """Return what was found, in the order in which a start would need it."""
    looks: tuple[Callable[[], Iterator[Examined]], ...] = (
        lambda: _clock(time.time()),
        lambda: _permissions(config),
        lambda: _folder(settings),
        lambda: _broker(settings.uplink),
    )
    return [each for look in looks for each in look()]


def _clock(now_s: float) -> Iterator[Examined]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s))
    is_set = now_s * 1e6 >= BUILT_US
    yield Examined("clock", is_set, f"it is {at}", "" if is_set else "set it, or start a time service such as chrony")


def _permissions(config: Path) -> Iterator[Examined]:
    mode = config.stat().st_mode & 0o777
    is_well = not mode & 0o002
    fix = "" if is_well else f"chmod o-w {config}"
    yield Examined("configuration", is_well, f"{config} has the mode {mode:o}", fix)


def _folder(settings: AgentSettings) -> Iterator[Examined]:
    folder = settings.buffer.path.parent
    while not folder.exists():
        folder = folder.parent
    can_write = os.access(folder, os.W_OK | os.X_OK)
    finding = "can be written" if can_write else "cannot be written"
    yield Examined(
        "buffer folder", can_write, f"{folder} {finding}", "" if can_write else f"chown it to {os.geteuid()}"
    )
    free_mib = shutil.disk_usage(folder).free // 2**20
    has_mib = settings.buffer.path.stat().st_size // 2**20 if settings.buffer.path.exists() else 0
    needed_mib = settings.buffer.max_size_mib - has_mib + RESERVE_MIB
    is_roomy = free_mib >= needed_mib
    finding = f"{free_mib} MiB free, the buffer may take {needed_mib} MiB more"
    yield Examined("disk", is_roomy, finding, "" if is_roomy else "free some, or lower buffer.max_size_mib")


def _broker(uplink: UplinkSettings) -> Iterator[Examined]:
    if uplink.proxy is not None:
        yield Examined("broker", is_well=True, finding="is reached by a proxy and was not tried")
        return
    try:
        addresses = socket.getaddrinfo(uplink.host, uplink.port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Examined(
            "name", is_well=False, finding=f"{uplink.host}: {error}", fix="mend uplink.host or the DNS server"
        )
        return
    yield Examined("name", is_well=True, finding=f"{uplink.host} is {addresses[0][4][0]}")
    try:
        with socket.create_connection((uplink.host, uplink.port), CONNECT_S) as plain:
            yield Examined("broker", is_well=True, finding=f"{uplink.host}:{uplink.port} answers")
            yield from _handshake(uplink, plain)
    except OSError as error:
        fix = "start the broker, open the firewall, or mend uplink.port; readings are kept meanwhile"
        yield Examined("broker", is_well=False, finding=f"{uplink.host}:{uplink.port}: {error}", fix=fix)


def _handshake(uplink: UplinkSettings, plain: socket.socket) -> Iterator[Examined]:
    if uplink.tls is None:
        return
    try:
        context = ssl.create_default_context(cafile=uplink.tls.ca)
        if uplink.tls.certificate is not None:
            context.load_cert_chain(uplink.tls.certificate, uplink.tls.key)
        with context.wrap_socket(plain, server_hostname=uplink.host) as secured:
            yield Examined("TLS", is_well=True, finding=f"{secured.version()}, the certificate holds")
    except OSError as error:
        yield Examined("TLS", is_well=False, finding=str(error), fix="mend uplink.tls.ca, or the broker's certificate")
