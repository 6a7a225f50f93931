"""Serve: a built plant running, from its first tick to the last line of its truth."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, assert_never

from firmware_sim.addresses import endpoints
from firmware_sim.clock import Clock
from firmware_sim.control import (
    HOST,
    Calm,
    ControlPort,
    Hold,
    InjectFault,
    Request,
    SetValue,
    StartMischief,
    Status,
    Stop,
)
from firmware_sim.endpoints import Ready
from firmware_sim.errors import Refused
from firmware_sim.faults import Fault, labelled_channel
from firmware_sim.machine import Machine
from firmware_sim.plant import MachineSettings
from firmware_sim.ports import PlantServer
from firmware_sim.tags import Value
from firmware_sim.wiring import Works

LOG = logging.getLogger("lineside.sim")


class Serving:
    """A plant in operation: ticks its machines, answers its control port, and stops in order."""

    def __init__(self, works: Works, clock: Clock) -> None:
        self._works = works
        self._clock = clock
        self._stopped = asyncio.Event()
        self._held = False
        self._control = ControlPort(self.perform, works.plant.control.port)

    def stop(self) -> None:
        """Ask the plant to shut down; safe to call from a signal handler."""
        self._stopped.set()

    async def run(self, ready: Callable[[Ready], None], truth_path: str) -> None:
        """Serve until `stop`, telling the endpoints once all listen; raise CannotListen."""
        works = self._works
        try:
            async with AsyncExitStack() as stack:
                for server in works.servers.values():
                    await server.start()
                    stack.push_async_callback(_take_down, server)
                await self._control.start()
                stack.push_async_callback(self._control.stop)
                ready(self._ready(truth_path))
                await self._operate()
        finally:
            works.trouble.close()
            works.truth.close()

    async def _operate(self) -> None:
        works = self._works
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._tick(each), name=each.id) for each in works.plant.machines]
            tasks.append(group.create_task(works.truth.keep_flushing(), name="truth"))
            tasks += [
                group.create_task(self._make_mischief(index), name=f"mischief {index}")
                for index in range(len(works.plant.mischief))
            ]
            await self._stopped.wait()
            for task in tasks:
                task.cancel()

    async def _tick(self, settings: MachineSettings) -> None:
        machine, server = self._works.machines[settings.id], self._works.servers[settings.server]
        if settings.recording is not None:
            await machine.first_read.wait()
        due_s = self._clock.monotonic_s()
        while True:
            due_s += machine.source.interval_s()
            await self._clock.sleep(max(0.0, due_s - self._clock.monotonic_s()))
            if self._held:
                continue
            if not machine.step(self._clock.now_us()):
                LOG.info("%s: the recording is over, its last row stays", machine.name)
                return
            await server.publish(machine)

    async def _make_mischief(self, index: int) -> None:
        setting = self._works.plant.mischief[index]
        await self._clock.sleep(setting.at_s)
        trouble = self._works.trouble
        await trouble.start(setting.kind, setting.machine, for_s=setting.for_s, value=setting.value)

    async def perform(self, request: Request) -> dict[str, Any]:
        """Do what the control port was asked for; raise Refused."""
        trouble = self._works.trouble
        match request:
            case Status():
                return self._status()
            case StartMischief(kind=kind, machine=machine, for_s=for_s, value=value):
                return {"ids": await trouble.start(kind, machine, for_s=for_s, value=value)}
            case Calm(id=number):
                return {"ended": await trouble.stop(number)}
            case InjectFault():
                return self._inject(request)
            case SetValue(machine=name, channel=channel, value=value):
                self._set(self._machine(name), channel, value)
            case Hold(on=held):
                self._held = held
            case Stop():
                self.stop()
            case _:
                assert_never(request)
        return {}

    def _inject(self, request: InjectFault) -> dict[str, Any]:
        machine = self._machine(request.machine)
        try:
            channel = labelled_channel(request.kind, request.channel, machine.source.channels)
        except ValueError as error:
            raise Refused(str(error)) from error
        ticks = max(1, round(request.for_s / machine.source.period_s))
        number, at = self._works.fault_ids(), machine.tick + 1
        machine.schedule(Fault(number, machine.name, request.kind, channel, request.sigma, at, ticks))
        return {"id": number, "channel": channel}

    def _set(self, machine: Machine, channel: str, value: Value | None) -> None:
        channels = list(dict.fromkeys(tag.channel for tag in machine.tags))
        if channel not in channels:
            raise Refused(f"channel: {machine.name} has no {channel!r}; allowed: {', '.join(channels)}")
        machine.set(channel, value)
        machine.refresh()

    def _status(self) -> dict[str, Any]:
        works = self._works
        machines = {
            machine.name: {
                "row": machine.row.number,
                "values": {tag.name: value for tag, value in zip(machine.tags, machine.row.served, strict=True)},
                "faults": [{"id": f.id, "kind": f.kind, "channel": f.channel} for f in machine.active_faults],
            }
            for machine in works.machines.values()
        }
        mischiefs = [{"id": m.id, "kind": m.kind, "machine": m.machine} for m in works.mischiefs.active]
        return {"machines": machines, "mischiefs": mischiefs}

    def _machine(self, name: str) -> Machine:
        machine = self._works.machines.get(name)
        if machine is None:
            raise Refused(f"no machine {name!r}; allowed: {', '.join(self._works.machines)}")
        return machine

    def _ready(self, truth_path: str) -> Ready:
        works = self._works
        described = endpoints(works.plant, works.machines, works.servers)
        control = f"{HOST}:{self._control.port}"
        return Ready(works.plant.plant, os.getpid(), works.plant.seed, truth_path, control, described)


async def _take_down(server: PlantServer) -> None:
    await server.stop()
    server.close()
