"""`model`: which models judge this gateway's Devices, how fast a package is, and back to the one before."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edge_agent.buffers.file import lock_path
from edge_agent.buffers.lock import FileLock
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
from edge_agent.commands.status import NotRunning, ask
from edge_agent.config.schema import AgentSettings
from edge_agent.errors import BufferUnusable
from edge_agent.models.child import Children, ErrandFailed
from edge_agent.models.errand import Reason, TrialErrand, Tried
from edge_agent.models.request import Answer, RequestBox
from edge_agent.models.shelf import Shelf, ShelfUnusable
from edge_agent.models.slot import Kept, Slot
from edge_agent.watch.status import AgentStatus, JudgedState
from protocols.errors import ProtocolError
from protocols.package import MAX_PACKAGE_BYTES, Package, unpack_package
from protocols.wanted import OWN, Wanted, WantedModel

model_app = typer.Typer(help="The models that judge this gateway's Devices.", no_args_is_help=True)
PackagePath = Annotated[Path, typer.Argument(metavar="PACKAGE", help="A model package, such as pump.lsp.")]
DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="The Device whose model shall go back.")]
BENCH_S = 60.0
ANSWER_S = 15.0


class DeviceModels(msgspec.Struct, frozen=True):
    """What lies on the gateway for one Device, as `name@version`; wanted: by the cloud; refused: what, and why.

    Of the agent that runs, else empty: judged_by, the model at work; standing; over, share of rows above the threshold;
    invoke_us, of a row; calibrated, rows not learned from that the threshold was set anew by, and times how many
    deviations of before it is.
    """

    device: str
    current: str
    previous: str = ""
    challenger: str = ""
    wanted: str = ""
    refused: str = ""
    reason: str = ""
    bytes: int = 0
    judged_by: str = ""
    standing: str = ""
    over: float | None = None
    invoke_us: float | None = None
    calibrated: int = 0
    times: float | None = None


class Bench(msgspec.Struct, frozen=True):
    """How a package does on this machine; row_us, batched_us: time of a row alone and in a batch; mib: with runtime."""

    name: str
    version: int
    channels: int
    runtime: str
    row_us: float
    batched_us: float
    mib: float
    package_bytes: int
    network_bytes: int
    self_test_off: float


@model_app.command("status", epilog="Example: lineside-agent model status agent.yaml --json")
def status(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show for each Device what serves, what did before, what is tried and what was refused; also without an agent."""
    settings = load_or_exit(config)
    running = _running(settings)
    at_work = {} if running is None else {one.device: one for one in running.judged}
    try:
        found = [shown(device, slot, wanted, at_work.get(device)) for device, slot, wanted in on_shelf(settings)]
    except ShelfUnusable as error:
        complain(str(error))
        raise typer.Exit(Exit.FAILURE) from error
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    if running is None:
        say("no agent runs; this is what lies on disk")
    headings = ("DEVICE", "SERVING", "AT WORK", "US A ROW", "BEFORE IT", "IN THE SHADOW", "WANTED", "REFUSED", "REASON")
    print_table(headings, map(_row, found))


@model_app.command("bench", epilog="Example: lineside-agent model bench pump.lsp --json")
def bench(package: PackagePath, *, as_json: AsJson = False) -> None:
    """Load a package as the agent would, and show what a row costs: microseconds alone and in a batch, and memory."""
    opened = _opened(package)
    card = opened.card
    errand = TrialErrand(
        file=str(package.absolute()),
        name=card.name,
        version=card.version,
        channels=card.scoring.channels,
        deadline_ms=BENCH_S * 1000,
        limit_s=BENCH_S,
    )
    tried = _tried(errand)
    if tried.reason is not None:
        complain(f"{package} would be refused: {tried.reason}: {tried.detail}")
        raise typer.Exit(Exit.FAILURE)
    found = Bench(
        name=card.name,
        version=card.version,
        channels=len(card.scoring.channels),
        runtime=tried.runtime,
        row_us=tried.row_us,
        batched_us=tried.batched_us,
        mib=round(tried.resident_bytes / 2**20, 1),
        package_bytes=package.stat().st_size,
        network_bytes=tried.network_bytes,
        self_test_off=tried.worst,
    )
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    say(f"{found.name}@{found.version}, {found.channels} channels, by {found.runtime}")
    say(f"a row alone {found.row_us:.1f} us, in a batch {found.batched_us:.2f} us")
    say(f"{found.network_bytes} bytes of network, {found.package_bytes} of package")
    say(f"{found.mib:.1f} MiB in memory, the runtime included")
    say(f"self-test: at most {found.self_test_off:.3f} off")


@model_app.command("rollback", epilog="Example: lineside-agent model rollback pump-1 agent.yaml")
def rollback(device: DeviceName, config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Go back to the model before; it stays so until the cloud wants another one. Asks the agent where one runs."""
    settings = load_or_exit(config)
    if device not in {one.id for one in settings.devices}:
        complain(f"{config} names no Device {device}")
        raise typer.Exit(Exit.FAILURE)
    answer = _by_own_hand(settings, device) if _running(settings) is None else _ask_agent(settings, device)
    if as_json:
        print_json({"device": device, "done": answer.is_done, "message": answer.words})
    elif answer.is_done:
        say(answer.words)
    else:
        complain(answer.words)
    if not answer.is_done:
        raise typer.Exit(Exit.FAILURE)


def on_shelf(settings: AgentSettings) -> Sequence[tuple[str, Slot, WantedModel | None]]:
    """Return every configured Device with its slot and what the cloud wants of it; raise ShelfUnusable."""
    shelf = Shelf(settings.models.directory)
    wishes = {one.device: one for one in (shelf.wanted() or Wanted(0)).models}
    judged = [device.id for device in settings.devices if settings.detect_of(device) is not None]
    return [(device, shelf.slot(device), wishes.get(device)) for device in judged]


def shown(device: str, slot: Slot, wanted: WantedModel | None, judged: JudgedState | None) -> DeviceModels:
    """Return what a person sees of a slot, and of the model at work where an agent runs."""
    fallen = slot.fallen
    return DeviceModels(
        device,
        current=_label(slot.current) or OWN,
        previous=_label(slot.previous),
        challenger=_label(slot.challenger),
        wanted="" if wanted is None else f"{wanted.name}@{wanted.version}",
        refused="" if fallen is None else f"{fallen.name}@{fallen.version}",
        reason="" if fallen is None else ": ".join(filter(None, (fallen.reason.value, fallen.detail))),
        bytes=0 if slot.current is None else slot.current.size,
        judged_by="" if judged is None else judged.model,
        standing="" if judged is None else judged.standing,
        over=None if judged is None else judged.over,
        invoke_us=None if judged is None else judged.invoke_us,
        calibrated=0 if judged is None else judged.calibrated,
        times=None if judged is None else judged.times,
    )


def _row(one: DeviceModels) -> tuple[str, ...]:
    at_work = f"{one.judged_by} ({', '.join(filter(None, (one.standing, _moved(one))))})" if one.judged_by else "-"
    taken = "-" if one.invoke_us is None else f"{one.invoke_us:.0f}"
    return one.device, one.current, at_work, taken, one.previous, one.challenger, one.wanted, one.refused, one.reason


def _moved(one: DeviceModels) -> str:
    return "" if one.times is None else f"recalibrated x{one.times:.2f} on {one.calibrated} rows"


def _label(kept: Kept | None) -> str:
    return "" if kept is None else f"{kept.name}@{kept.version}"


def _opened(path: Path) -> Package:
    try:
        with path.open("rb") as file:
            return unpack_package(file.read(MAX_PACKAGE_BYTES + 1))
    except OSError as error:
        complain(f"{path} cannot be read: {error.strerror}")
        raise typer.Exit(Exit.FAILURE) from error
    except ProtocolError as error:
        complain(f"{path} is no model package: {error}")
        raise typer.Exit(Exit.FAILURE) from error


def _tried(errand: TrialErrand) -> Tried:
    """Return how the package does in a child, which may crash in our place."""
    try:
        return asyncio.run(Children(os.environ).send("edge_agent.models.trial", errand, Tried))
    except ErrandFailed as error:
        return Tried(error.reason, error.detail)


def _running(settings: AgentSettings) -> AgentStatus | None:
    try:
        return ask(settings)
    except NotRunning:
        return None


def _ask_agent(settings: AgentSettings, device: str) -> Answer:
    if settings.models.url is None:
        return Answer("", is_done=False, words="the agent takes no models: models.url is not set")
    try:
        answer = RequestBox(settings.models.directory).ask(device, patience_s=ANSWER_S)
    except OSError as error:
        return Answer("", is_done=False, words=f"{settings.models.directory} cannot be written: {error.strerror}")
    return answer or Answer("", is_done=False, words=f"the agent did not answer within {ANSWER_S:g} s")


def _by_own_hand(settings: AgentSettings, device: str) -> Answer:
    """Change the shelf while no agent can start."""
    shelf = Shelf(settings.models.directory)
    try:
        with FileLock(lock_path(settings.buffer.path)):
            slot = shelf.slot(device)
            wishes = {one.device: one for one in (shelf.wanted() or Wanted(0)).models}
            after = slot.went_back(wishes.get(device), Reason.OPERATOR_ASKED)
            if slot.current is None:
                return Answer("", is_done=False, words=f"{device} is on the gateway's own model already")
            shelf.keep_slot(device, after)
    except (BufferUnusable, ShelfUnusable) as error:
        return Answer("", is_done=False, words=str(error))
    words = f"{device} goes back from {_label(slot.current)} to {_label(after.current) or OWN} at the next start"
    return Answer("", is_done=True, words=words)
