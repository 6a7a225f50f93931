"""lineside-demo: plant, broker, agent and cloud on loopback, with a live panel, and a count at the end."""

import random
import secrets
import signal
import tempfile
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from deploy.account import made, rows_of, settle, stored
from deploy.fetch import Api
from deploy.line import GATEWAY, Line, Recording
from deploy.outcome import Seen, tell
from deploy.panel import live, picture
from deploy.report import Report, make_report, write_report
from deploy.run import Run, draw_plans
from deploy.supervise import ProgramFailed, Supervisor, run_to_end
from firmware_sim.truth import read_truth

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
REPLAY_POLL_S = 0.01


@app.command()
def demo(  # noqa: PLR0913 - one parameter an option
    *,
    for_s: Annotated[
        float | None, typer.Option("--for", help="Stop by itself after so many seconds of running.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what it came to as JSON.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Serve the rows of a recording instead of the plant.")] = None,
    speed: Annotated[float, typer.Option(help="Serve a recording so many times faster.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Draw the plant and the moments of kills from this.")] = None,
    kill: Annotated[list[str] | None, typer.Option(help="SIGKILL it once: agent, broker or cloud; repeat.")] = None,
    outage: Annotated[float, typer.Option(help="Keep the broker away for so many seconds.")] = 0.0,
    keep: Annotated[Path | None, typer.Option(help="Work in this folder and leave it as it is.")] = None,
) -> None:
    """Run the whole line on this machine until Ctrl-C.

    For example: lineside-demo --for 60 --report r.json
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    drawn = secrets.randbelow(2**31) if seed is None else seed
    recording = Recording(replay.absolute(), speed) if replay else None
    console = Console()
    with tempfile.TemporaryDirectory(prefix="lineside-demo-") as temporary:
        directory = keep.absolute() if keep else Path(temporary)
        line = Line.lay(directory, seed=drawn, recording=recording, poll_s=REPLAY_POLL_S if recording else None)
        plans = draw_plans(kill or [], outage_s=outage, for_s=for_s or 60.0, chance=random.Random(drawn))  # noqa: S311
        try:
            with Supervisor() as supervisor:
                run = Run(line, supervisor, drawn, plans)
                _play(run, console, for_s=for_s)
                result = _count(run, console)
        except ProgramFailed as error:
            console.print(f"[bold]{error}[/]\n{error.last_words()}", markup=True)
            raise typer.Exit(1) from error
    if report is not None:
        write_report(report, result)
    raise typer.Exit(0 if result.ok else 1)


def _play(run: Run, console: Console, *, for_s: float | None) -> None:
    """Start the line and show it until the time is over or Ctrl-C."""
    run_to_end(run.line.prepare_cloud(), run.line.directory / "init.log")
    if run.line.recording is None:
        run_to_end(run.line.teach_cloud(), run.line.directory / "teach.log")
    try:
        with live(console) as screen:
            for moment in chain(run.start(), run.watch(for_s=for_s)):
                screen.update(picture(moment), refresh=True)
    except KeyboardInterrupt:
        console.print("stopping; counting what was made and what is stored")


def _count(run: Run, console: Console) -> Report:
    """Bring the line to rest and compare the truth with what the API returns."""
    facts = run.facts(run.come_to_rest())
    truth = read_truth(run.line.truth)
    served = made(truth)
    with Api(run.line.url, run.line.key) as api:
        found = stored(api, served)
        told = tell(run.story, Seen(truth.faults, api.models(GATEWAY), api.alarms()))
    account = settle(served, found, kills=run.kills)
    rows = rows_of(truth, found, run.line.recording.path) if run.line.recording else None
    result = make_report(msgspec.structs.replace(facts, told=told), account, rows)
    console.print(
        f"\nmade {result.readings_made:,}, stored {result.readings_stored:,}, lost {result.readings_lost:,}, "
        f"duplicated {result.readings_duplicated:,}, altered {result.readings_altered:,}, "
        f"unsealed {result.readings_unsealed:,}: {'ok' if result.ok else 'NOT OK'}"
    )
    return result


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
