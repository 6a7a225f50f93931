"""`check`: says everything that is wrong with a configuration, at once. `config schema`: what may be in one."""

import os
from pathlib import Path

import msgspec
import typer

from edge_agent.commands.output import DEFAULT_CONFIG, AsJson, ConfigPath, Exit, complain, print_json, say
from edge_agent.config.load import load, schema_text
from edge_agent.config.schema import AgentSettings
from edge_agent.errors import Finding, InvalidConfig

schema_app = typer.Typer(help="What a configuration may say.", no_args_is_help=True)


def check(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Check a configuration and name every mistake with file:line:column."""
    settings, findings = examined(config)
    if as_json:
        print_json({"file": str(config), "ok": not findings, "findings": msgspec.to_builtins(findings)})
    elif findings:
        for finding in findings:
            complain(str(finding))
        complain(f"{len(findings)} to mend in {config}")
    elif settings is not None:
        say(f"{config} is fine: gateway {settings.gateway}, {tally(settings)}")
    if findings:
        raise typer.Exit(Exit.CONFIGURATION)


def examined(config: Path) -> tuple[AgentSettings | None, tuple[Finding, ...]]:
    """Return the settings, or the findings that keep them from being any."""
    try:
        return load(config, os.environ), ()
    except InvalidConfig as error:
        return None, error.findings


def tally(settings: AgentSettings) -> str:
    """Return how much there is to read, in words."""
    n_devices, n_tags = len(settings.devices), sum(len(device.tags) for device in settings.devices)
    return f"{n_devices} device{'s' * (n_devices != 1)}, {n_tags} tag{'s' * (n_tags != 1)}"


@schema_app.command("schema", epilog="Example: lineside-agent config schema > agent-config.schema.json")
def schema() -> None:
    """Print the JSON schema of a configuration, for editors."""
    typer.echo(schema_text(), nl=False)
