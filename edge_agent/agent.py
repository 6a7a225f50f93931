"""The running agent: named, supervised tasks; a signal stops them in the order in which readings flow."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge_agent.errors import AgentError
from edge_agent.ports import Clock
from edge_agent.watch.watchdog import Notifier

logger = logging.getLogger(__name__)
RESTART_S = 5.0
CLOSE_S = 5.0
Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that runs until it is cancelled, and is started again where it fails."""

    name: str
    run: Step


@dataclass(frozen=True, slots=True)
class Ending:
    """How to stop without losing anything: flush seals and commits what is in memory, drain sends what it can.

    flush_s, drain_s: how long each may take, in seconds.
    """

    flush: Step
    drain: Step
    close: Sequence[Task]
    flush_s: float = 10.0
    drain_s: float = 3.0


class Agent:
    """sources bring readings and stop first; keepers store, send and watch, and stop last."""

    def __init__(
        self, *, sources: Sequence[Task], keepers: Sequence[Task], ending: Ending, notifier: Notifier, clock: Clock
    ) -> None:
        self._sources = tuple(sources)
        self._keepers = tuple(keepers)
        self._ending = ending
        self._notifier = notifier
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> bool:
        """Run until `stop` is set, then stop in order; return whether every reading taken is stored."""
        try:
            async with asyncio.TaskGroup() as group:
                sources = [self._start(group, task) for task in self._sources]
                keepers = [self._start(group, task) for task in self._keepers]
                self._notifier.send("READY=1")
                logger.info("started", extra={"tasks": len(keepers) + len(sources)})
                await stop.wait()
                self._notifier.send("STOPPING=1")
                logger.info("stopping")
                await _cancel(sources)
                is_stored = await self._attempt("storing what is in memory", self._ending.flush, self._ending.flush_s)
                await self._attempt("a last try to send", self._ending.drain, self._ending.drain_s)
                await _cancel(keepers)
        finally:
            for task in self._ending.close:
                await self._attempt(f"closing the {task.name}", task.run, CLOSE_S)
        logger.info("stopped")
        return is_stored

    def _start(self, group: asyncio.TaskGroup, task: Task) -> asyncio.Task[None]:
        return group.create_task(self._supervise(task), name=task.name)

    async def _supervise(self, task: Task) -> None:
        """Run the task for ever: the root of every supervised task, which logs what failed and starts it again."""
        while True:
            try:
                await task.run()
                logger.error("%s ended and starts again", task.name)
            except Exception as error:
                is_known = isinstance(error, AgentError | OSError)
                level_of_detail = None if is_known else error
                logger.error("%s failed and starts again: %s", task.name, error, exc_info=level_of_detail)  # noqa: TRY400
            await self._clock.sleep(RESTART_S)

    async def _attempt(self, name: str, step: Step, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await step()
        except TimeoutError:
            logger.warning("%s took longer than %s s", name, limit_s)
        except AgentError as error:
            logger.error("%s failed: %s", name, error)  # noqa: TRY400 - the sentence says it
        else:
            return True
        return False


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT, on the loop that runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
