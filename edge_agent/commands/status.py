"""`status`: last values and counts of the running agent, read over loopback, so that no network is needed."""

import http.client

import msgspec
import typer

from edge_agent.commands.output import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    Exit,
    complain,
    load_or_exit,
    print_json,
    print_table,
    say,
)
from edge_agent.config.schema import AgentSettings
from edge_agent.errors import AgentError
from edge_agent.watch.health import HOST
from edge_agent.watch.status import AgentStatus, decode

ANSWER_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class NotRunning(AgentError):
    """No agent answers on the port that the configuration names."""


def status(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show what the agent running on this machine says of itself."""
    settings = load_or_exit(config)
    try:
        document = ask(settings)
    except NotRunning as error:
        complain(f"{error}; start it with: lineside-agent run {config}")
        raise typer.Exit(Exit.FAILURE) from error
    if as_json:
        print_json(msgspec.to_builtins(document))
    else:
        show(document)


def ask(settings: AgentSettings) -> AgentStatus:
    """Return the status of the running agent; raise NotRunning where none, or that of another gateway, answers."""
    where = f"{HOST}:{settings.watch.port}"
    connection = http.client.HTTPConnection(HOST, settings.watch.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/status")
        document = decode(connection.getresponse().read(MAX_ANSWER_BYTES))
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(f"no agent answers on {where}: {error}") from error
    except msgspec.MsgspecError as error:
        raise NotRunning(f"what answers on {where} is no agent: {error}") from error
    finally:
        connection.close()
    if document.gateway != settings.gateway:
        raise NotRunning(f"the agent on {where} is {document.gateway}, not {settings.gateway}")
    return document


def show(document: AgentStatus) -> None:
    """Print the status for people."""
    delivery, buffer = document.delivery, document.buffer
    uplink = "connected" if delivery.connected else "away"
    say(f"{document.gateway}, version {document.version}, up {document.uptime_s:.0f} s")
    say(f"broker {delivery.broker}: {uplink}")
    for problem in document.problems:
        say(f"! {problem}")
    waiting, acked = (sum(getattr(epoch, state) for epoch in buffer.epochs) for state in ("waiting", "acked"))
    used = f"{buffer.bytes_used / 2**20:.1f} of {buffer.bytes_cap / 2**20:.0f} MiB"
    say(f"buffer: {waiting} readings wait, {acked} acknowledged, {used}")
    headings = ("DEVICE", "TAG", "VALUE", "UNIT", "QUALITY", "AT")
    print_table(
        headings,
        ((v.device, v.tag, "-" if v.value is None else str(v.value), v.unit, v.quality, v.at) for v in document.values),
    )
