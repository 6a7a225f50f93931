"""`run`: from a file's path to the exit code."""

import asyncio
import gc
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from edge_agent.agent import stop_on_signals
from edge_agent.buffers.file import BufferFile
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.thread import BufferThread
from edge_agent.config.load import load
from edge_agent.config.schema import AgentSettings
from edge_agent.errors import BufferInUse, BufferUnusable, DeviceError, InvalidConfig
from edge_agent.ports import Clock
from edge_agent.watch.logs import start_logging
from edge_agent.wiring.assembly import Assembly
from edge_agent.wiring.site import SystemClock

logger = logging.getLogger(__name__)
STORED, FAILED, MISCONFIGURED = 0, 1, 3


async def run_settings(settings: AgentSettings, environment: Mapping[str, str]) -> bool:
    """Run an agent until SIGTERM or SIGINT; return whether every reading taken is stored.

    Raises BufferInUse where another process has the buffer.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    buffer = BufferThread(buffer_file(settings, SystemClock()).open)
    try:
        await buffer.opened()
    except BufferInUse:
        await buffer.close()
        raise
    except BufferUnusable as error:
        logger.error("readings wait in memory, the buffer cannot be opened: %s", error)  # noqa: TRY400 - says it all
    agent = Assembly(settings, environment, buffer).agent()
    gc.freeze()  # what a start makes stays, so that no collection need look at it again
    gc.enable()
    return await agent.run(stop)


def run_agent(path: Path, environment: Mapping[str, str]) -> int:
    """Run the agent that a file describes; return 0, 1 where readings could not be stored, 3 for a wrong file."""
    try:
        settings = load(path, environment)
    except InvalidConfig as error:
        sys.stderr.write(f"{error}\n")
        return MISCONFIGURED
    start_logging(settings.gateway, settings.watch.log_level)
    try:
        is_stored = asyncio.run(run_settings(settings, environment))
    except (BufferInUse, DeviceError) as error:
        logger.error("the agent does not start: %s", error)  # noqa: TRY400 - the sentence says it all
        return FAILED
    return STORED if is_stored else FAILED


def buffer_file(settings: AgentSettings, clock: Clock) -> BufferFile:
    """Return what opens the buffer that the settings name."""
    return BufferFile(buffer_place(settings), now_us=clock.now_us)


def buffer_place(settings: AgentSettings) -> BufferPlace:
    """Return where the buffer lies and how large it may become."""
    return BufferPlace(settings.buffer.path, settings.gateway, settings.buffer.max_size_mib * 2**20)
