"""The live panel of the demo: what flows, what waits, what is wrong, in one screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Moment:
    """What the panel shows at one moment: the agent's own status, the cloud's account, and the news so far."""

    elapsed_s: float
    readings_per_s: float
    status: Mapping[str, Any]
    account: Mapping[str, Any]
    news: tuple[str, ...]
    api: str


def picture(moment: Moment) -> RenderableType:
    """Return the panel's content."""
    buffer = moment.status.get("buffer", {})
    facts = Table.grid(padding=(0, 3))
    facts.add_row("readings", f"{moment.readings_per_s:,.0f}/s", "stored", f"{moment.account.get('stored', 0):,}")
    facts.add_row("buffered", f"{moment.account.get('buffered', 0):,}", "lost", f"{moment.account.get('lost', 0):,}")
    facts.add_row("batches waiting", f"{buffer.get('batches_waiting', 0):,}", "broker", _broker(moment.status))
    news = "\n".join(moment.news[-6:]) or "all quiet"
    title = f"Lineside demo, {moment.elapsed_s:.0f} s"
    addresses = f"console {moment.api}/ui/  API {moment.api}/docs"
    return Panel(Group(facts, "", _devices(moment.status), "", news), title=title, subtitle=addresses)


def _broker(status: Mapping[str, Any]) -> str:
    return "connected" if status.get("delivery", {}).get("connected") else "away"


def _devices(status: Mapping[str, Any]) -> Table:
    table = Table("device", "protocol", "state", "readings", "late polls skipped", box=None, pad_edge=False)
    for device in status.get("devices", []):
        readings, skipped = sum(device["readings"].values()), device["skipped_polls"]
        table.add_row(device["id"], device["protocol"], device["state"], f"{readings:,}", f"{skipped:,}")
    return table


def live(console: Console) -> Live:
    """Return the live display; on what is no terminal it shows only the last picture."""
    return Live(console=console, refresh_per_second=4, transient=False)
