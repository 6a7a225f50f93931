"""`buffer`: what waits on the gateway, by the running agent's word or from the file itself."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer
from sqlite_utils import Database

from edge_agent.buffers.file import lock_path
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.sqlite import SqliteBuffer
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
from edge_agent.watch.last_values import known
from edge_agent.watch.status import EpochCount
from edge_agent.wiring.run import buffer_file, buffer_place
from edge_agent.wiring.site import SystemClock
from protocols.batch import BatchKind
from protocols.codec import Frame, open_data, open_drop, open_event, open_tags, unpack
from protocols.errors import ProtocolError
from protocols.reading import Column, Kind
from protocols.tag import TagTable

buffer_app = typer.Typer(help="What waits on the gateway for the cloud.", no_args_is_help=True)
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Yes, give them up.")]


class Stats(msgspec.Struct, frozen=True):
    """What a buffer holds; source: `agent` (it runs and was asked) or `file`."""

    path: str
    source: str
    batches: int
    bytes_on_disk: int
    bytes_written_today: int
    epochs: tuple[EpochCount, ...]


@buffer_app.command("stats", epilog="Example: lineside-agent buffer stats agent.yaml --json")
def stats(config: ConfigPath = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """Show readings sealed, acknowledged, waiting and dropped, for each epoch."""
    settings = load_or_exit(config)
    found = gathered(settings)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    say(f"{found.path} (by the {found.source}): {found.batches} batches wait")
    say(f"{found.bytes_on_disk / 2**20:.1f} MiB on disk")
    say(f"{found.bytes_written_today / 2**20:.1f} MiB written since midnight UTC")
    rows = ((e.epoch, str(e.sealed), str(e.acked), str(e.waiting), str(e.dropped)) for e in found.epochs)
    print_table(("EPOCH", "SEALED", "ACKED", "WAITING", "DROPPED"), rows)


def gathered(settings: AgentSettings) -> Stats:
    """Return the figures of the agent that runs, else those of the file; exit with 1 where there is neither."""
    path = settings.buffer.path
    try:
        state = ask(settings).buffer
    except NotRunning:
        return _from_file(settings)
    used = path.stat().st_size if path.exists() else state.bytes_used
    return Stats(str(path), "agent", state.batches_waiting, used, state.bytes_written_today, state.epochs)


@buffer_app.command("print", epilog="Example: lineside-agent buffer print agent.yaml -o readings.jsonl")
def print_lines(config: ConfigPath = DEFAULT_CONFIG, *, output: Output = None) -> None:
    """Write every reading and event that the buffer still holds as JSON lines; nothing is changed."""
    settings = load_or_exit(config)
    try:
        with _read_only(settings.buffer.path) as connection, _opened(output) as out:
            count = write_lines(Database(connection), out)
    except (sqlite3.Error, OSError) as error:
        complain(f"the buffer cannot be read, or the output not written: {error}; an agent that runs keeps it locked")
        raise typer.Exit(Exit.FAILURE) from error
    complain(f"{count} lines")


@buffer_app.command("drop", epilog="Example: lineside-agent buffer drop agent.yaml --yes")
def drop(config: ConfigPath = DEFAULT_CONFIG, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Give up every reading that waits, for good; the loss is declared to the cloud. The agent must be stopped."""
    settings = load_or_exit(config)
    path = settings.buffer.path
    _must_exist(path)
    if not yes:
        complain(f"this gives up for good what waits in {path}; say --yes, or save it first with: buffer export FILE")
        raise typer.Exit(Exit.USAGE)
    try:
        with FileLock(lock_path(path)):
            buffer = SqliteBuffer(buffer_place(settings))
            try:
                at_us = max(SystemClock().now_us(), buffer.last_at_us)
                readings = buffer.give_up_data(at_us=at_us, reason="dropped by hand")
            finally:
                buffer.close()
    except BufferUnusable as error:
        complain(f"nothing was dropped: {error}")
        raise typer.Exit(Exit.FAILURE) from error
    if as_json:
        print_json({"path": str(path), "dropped_readings": readings})
    else:
        say(f"{readings} readings were given up")


def _opened(output: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8")


def write_lines(database: Database, out: TextIO) -> int:
    """Write one line per reading, event and declared drop; return how many."""
    tables: dict[str, TagTable] = {}
    count = 0
    for row in database["batch"].rows_where(select="frame", order_by="id"):
        for line in lines(row["frame"], tables):
            out.write(json.dumps(line, default=str) + "\n")
            count += 1
    return count


def lines(raw: bytes, tables: dict[str, TagTable]) -> Iterator[dict[str, object]]:
    """Yield what one frame holds; `tables` remembers the tag tables met so far. A frame that is damaged says so."""
    try:
        frame = unpack(raw)
        match frame.header.kind:
            case BatchKind.TAGS:
                tables[frame.header.table] = open_tags(frame)
            case BatchKind.EVENT:
                yield {"event": msgspec.to_builtins(open_event(frame))}
            case BatchKind.DROP:
                yield {"dropped": msgspec.to_builtins(open_drop(frame))}
            case BatchKind.DATA:
                yield from _readings(frame, tables.get(frame.header.table, TagTable()))
    except ProtocolError as error:
        yield {"damaged": str(error)}


def _readings(frame: Frame, table: TagTable) -> Iterator[dict[str, object]]:
    block = open_data(frame)
    for column in block.columns:
        values = [block.texts[i] for i in column.value.tolist()] if column.kind is Kind.TEXT else column.value.tolist()
        yield from _rows(column, values, table)


def _rows(column: Column, values: list[object], table: TagTable) -> Iterator[dict[str, object]]:
    tags, times, qualities = column.tag.tolist(), column.time_us.tolist(), column.quality.tolist()
    for tag, time_us, value, quality in zip(tags, times, values, qualities, strict=True):
        name: dict[str, object] = {"tag_index": tag}
        if tag < len(table.tags):
            info = table.tags[tag]
            name = {"device": table.devices[info.device].id, "tag": info.name}
        yield {**name, "time_us": time_us, "value": value, "quality": known(quality).text}


def _must_exist(path: Path) -> None:
    if not path.is_file():
        complain(f"there is no buffer at {path} yet, and no agent runs; start it with: lineside-agent run")
        raise typer.Exit(Exit.FAILURE)


def _read_only(path: Path) -> closing[sqlite3.Connection]:
    _must_exist(path)
    return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def _from_file(settings: AgentSettings) -> Stats:
    path = settings.buffer.path
    _must_exist(path)
    try:
        opened = buffer_file(settings, SystemClock()).open()
    except BufferUnusable as error:
        complain(f"the buffer cannot be read: {error}")
        raise typer.Exit(Exit.FAILURE) from error
    try:
        ledger = opened.buffer.ledger()
    finally:
        opened.buffer.close()
        opened.lock.release()
    epochs = tuple(EpochCount(f"{e.epoch:016x}", e.sealed, e.acked, e.waiting, e.dropped) for e in ledger.epochs)
    return Stats(str(path), "file", ledger.batches_waiting, path.stat().st_size, ledger.bytes_written_today, epochs)
