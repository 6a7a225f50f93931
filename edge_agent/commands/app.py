"""The command line as typer shows it; `run` itself never comes here (see cli.py)."""

import os
from pathlib import Path

import typer

from edge_agent.commands.buffer import buffer_app
from edge_agent.commands.carrying import export, import_batches
from edge_agent.commands.check import check, schema_app
from edge_agent.commands.doctor import doctor
from edge_agent.commands.model import model_app
from edge_agent.commands.output import DEFAULT_CONFIG, ConfigPath
from edge_agent.commands.read_once import run_test
from edge_agent.commands.scan import scan_app
from edge_agent.commands.status import status
from edge_agent.wiring.run import run_agent

app = typer.Typer(
    name="lineside-agent",
    help="Reads sensors, keeps what they said, and delivers it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration. Start with: lineside-agent check agent.yaml",
)


@app.command(epilog="Example: lineside-agent run /etc/lineside/agent.yaml")
def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Run the agent until SIGTERM or Ctrl-C; logs are JSON lines on standard error."""
    raise typer.Exit(run_agent(Path(config), os.environ))


app.command("check", epilog="Example: lineside-agent check agent.yaml --json")(check)
app.command("test", epilog="Example: lineside-agent test --once agent.yaml")(run_test)
app.command("status", epilog="Example: lineside-agent status agent.yaml --json")(status)
app.command("doctor", epilog="Example: lineside-agent doctor agent.yaml")(doctor)
buffer_app.command("export", epilog="Example: lineside-agent buffer export gw-1.parcel agent.yaml")(export)
buffer_app.command("import", epilog="Example: lineside-agent buffer import gw-1.parcel agent.yaml")(import_batches)
app.add_typer(buffer_app, name="buffer")
app.add_typer(model_app, name="model")
app.add_typer(scan_app, name="scan")
app.add_typer(schema_app, name="config")
