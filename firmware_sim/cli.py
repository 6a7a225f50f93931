"""lineside-sim: serve a simulated plant, check a plant file, write the agent's configuration, sum up a truth file."""

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.agent_config import compose
from firmware_sim.clock import SystemClock
from firmware_sim.endpoints import Ready, read_ready, write_ready
from firmware_sim.errors import CannotListen, PlantError
from firmware_sim.plant import Plant, load_plant, replay_plant
from firmware_sim.serve import Serving
from firmware_sim.truth import read_truth
from firmware_sim.wiring import build
from firmware_sim.yaml_file import to_yaml

PLANTS = Path(__file__).parent / "plants"
USAGE, CANNOT_LISTEN = 2, 3

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="A plant that lies on purpose."
)
PlantFile = Annotated[
    Path | None, typer.Argument(help="A plant file, or the name of one that comes with it: demo, workshop.")
]
TruthFile = Annotated[Path, typer.Option(help="Where to append every value served, with its time.")]
Seed = Annotated[int | None, typer.Option(help="Draw other loads, noise and faults than the file's seed.")]
ReadyFile = Annotated[Path | None, typer.Option(help="Write the real addresses there once all listen.")]
ConfigFile = Annotated[Path | None, typer.Option(help="Write a matching agent configuration there.")]
Gateway = Annotated[str, typer.Option(help="The gateway's name in that configuration.")]
Broker = Annotated[str, typer.Option(help="HOST:PORT of the broker in that configuration.")]
RecordingFile = Annotated[Path | None, typer.Option(help="Serve the rows of a CSV recording instead of a plant.")]
Speed = Annotated[float, typer.Option(min=0.001, help="Show a recording so many times faster.")]
WithOpcua = Annotated[bool, typer.Option(help="Serve the recording over OPC UA too.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="The recording's Modbus port; 0: a free one.")]
Folder = Annotated[Path | None, typer.Option(help="Where to make certificates; else a temporary folder.")]


@app.command()
def serve(  # noqa: PLR0913 - one parameter an option
    plant: PlantFile = None,
    *,
    truth: TruthFile = Path("truth.jsonl"),
    seed: Seed = None,
    ready_file: ReadyFile = None,
    agent_config: ConfigFile = None,
    gateway: Gateway = "gw-1",
    broker: Broker = "127.0.0.1:1883",
    replay: RecordingFile = None,
    speed: Speed = 1.0,
    opcua: WithOpcua = False,
    port: Port = 0,
    certificates: Folder = None,
) -> None:
    """Serve a plant until Ctrl-C or SIGTERM.

    For example: lineside-sim serve demo --truth truth.jsonl --ready-file plant.json --agent-config agent.yaml

    Or a recording: lineside-sim serve --replay recording.csv.gz --speed 20 --truth truth.jsonl
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    address = _broker(broker)

    def tell(ready: Ready) -> None:
        if agent_config is not None:
            agent_config.write_text(to_yaml(compose(ready, gateway=gateway, broker=address)))
        if ready_file is not None:
            write_ready(ready_file, ready)
        _log_endpoints(ready)

    with _exit_codes(), tempfile.TemporaryDirectory(prefix="lineside-sim-") as fresh:
        folder, described = _described(plant, replay, speed=speed, with_opcua=opcua, port=port)
        seeded = described if seed is None else described.model_copy(update={"seed": seed})
        asyncio.run(_run(seeded, folder, truth.absolute(), (certificates or Path(fresh)).absolute(), tell))


@app.command()
def config(
    ready_file: Annotated[Path, typer.Argument(help="The ready file of a running plant.")],
    *,
    gateway: Gateway = "gw-1",
    broker: Broker = "127.0.0.1:1883",
) -> None:
    """Print the agent's configuration for a running plant.

    For example: lineside-sim config plant.json > agent.yaml
    """
    with _exit_codes():
        typer.echo(to_yaml(compose(read_ready(ready_file), gateway=gateway, broker=_broker(broker))), nl=False)


@app.command()
def check(plant: PlantFile = None) -> None:
    """Say what is wrong with a plant file, or that nothing is.

    For example: lineside-sim check plant.yaml
    """
    with _exit_codes():
        _, described = _described(plant, None, speed=1, with_opcua=False, port=0)
        typer.echo(f"{described.plant}: {len(described.machines)} machines on {len(described.servers)} servers")


@app.command(name="truth")
def show_truth(truth: Annotated[Path, typer.Argument(help="A truth file.")]) -> None:
    """Sum up a truth file: answers and values served, rows, faults.

    For example: lineside-sim truth truth.jsonl
    """
    with _exit_codes():
        told = read_truth(truth)
        for machine in told.headers[-1].machines:
            typer.echo(f"{machine.id}: {len(told.rows(machine.id))} rows served")
        typer.echo(f"{len(told)} answers, {told.readings} values, {len(told.faults)} faults")


def main() -> None:
    """Run the command line."""
    app()


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn what went wrong into a line on stderr and an exit code: 1 wrong input, 3 cannot listen; usage is 2."""
    try:
        yield
    except PlantError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(CANNOT_LISTEN if isinstance(error, CannotListen) else 1) from error


def _described(
    plant: Path | None, replay: Path | None, *, speed: float, with_opcua: bool, port: int
) -> tuple[Path, Plant]:
    """Return the folder that paths in the plant start from, and the plant."""
    if (plant is None) == (replay is None):
        typer.echo("name a plant file, or --replay a recording, and not both", err=True)
        raise typer.Exit(USAGE)
    if replay is not None:
        return Path(), replay_plant(replay.absolute(), speed=speed, with_opcua=with_opcua, port=port)
    assert plant is not None  # noqa: S101 - the first lines have made sure
    shipped = PLANTS / f"{plant}.yaml"
    path = shipped if not plant.exists() and plant.suffix == "" and shipped.exists() else plant
    return path.parent, load_plant(path)


def _broker(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        typer.echo(f"--broker {text}: is not HOST:PORT", err=True)
        raise typer.Exit(USAGE)
    return host, int(port)


def _log_endpoints(ready: Ready) -> None:
    log = logging.getLogger("lineside.sim")
    for endpoint in ready.machines:
        log.info("%s (%s) at %s unit %d", endpoint.machine, endpoint.type, endpoint.url, endpoint.unit)
    log.info("control at %s, truth in %s", ready.control, ready.truth)


async def _run(plant: Plant, folder: Path, truth: Path, certificates: Path, tell: Callable[[Ready], None]) -> None:
    clock = SystemClock()
    works = build(plant, folder=folder, truth_path=truth, certificates=certificates, clock=clock)
    serving = Serving(works, clock)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.stop)
    await serving.run(tell, str(truth))
