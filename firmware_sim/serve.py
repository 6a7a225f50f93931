"""Serve: a built plant running, from its first tick to the last line of its truth."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, assert_never

from firmware_sim.certificates import CLIENT_URI
from firmware_sim.clock import Clock
from firmware_sim.control import HOST, Calm, ControlPort, InjectFault, Request, SetValue, StartMischief, Status, Stop
from firmware_sim.endpoints import Endpoint, EndpointTag, Ready, Security
from firmware_sim.errors import Refused
from firmware_sim.faults import Fault, labelled_channel
from firmware_sim.machine import Machine
from firmware_sim.opcua import OpcuaPlantServer
from firmware_sim.plant import MachineSettings, ModbusTlsServer
from firmware_sim.rtu import RtuServer
from firmware_sim.tags import Value
from firmware_sim.wiring import AnyServer, Works

LOG = logging.getLogger("lineside.sim")


class Serving:
    """A plant in operation: ticks its machines, answers its control port, and stops in order."""

    def __init__(self, works: Works, clock: Clock) -> None:
        self._works = works
        self._clock = clock
        self._stopped = asyncio.Event()
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
            tasks = [group.create_task(self._tick(machine), name=name) for name, machine in works.machines.items()]
            tasks.append(group.create_task(works.truth.keep_flushing(), name="truth"))
            tasks += [
                group.create_task(self._make_mischief(index), name=f"mischief {index}")
                for index in range(len(works.plant.mischief))
            ]
            await self._stopped.wait()
            for task in tasks:
                task.cancel()

    async def _tick(self, machine: Machine) -> None:
        settings = self._settings(machine.name)
        server = self._works.server_of(settings)[1]
        if settings.recording is not None:
            await machine.first_read.wait()
        due_s = self._clock.monotonic_s()
        while True:
            due_s += machine.source.interval_s()
            await self._clock.sleep(max(0.0, due_s - self._clock.monotonic_s()))
            if not machine.step(self._clock.now_us()):
                LOG.info("%s: the recording is over, its last row stays", machine.name)
                return
            if isinstance(server, OpcuaPlantServer):
                await server.publish(machine)

    async def _make_mischief(self, index: int) -> None:
        setting = self._works.plant.mischief[index]
        await self._clock.sleep(setting.at_s)
        trouble = self._works.trouble
        await trouble.start(setting.kind, setting.machine, for_s=setting.for_s, value=setting.value)

    async def perform(self, request: Request) -> dict[str, Any]:
        """Do what the control port was asked for; raise Refused."""
        match request:
            case Status():
                return self._status()
            case StartMischief(kind=kind, machine=machine, for_s=for_s, value=value):
                return {"ids": await self._works.trouble.start(kind, machine, for_s=for_s, value=value)}
            case Calm(id=number):
                return {"ended": await self._works.trouble.stop(number)}
            case InjectFault():
                return self._inject(request)
            case SetValue(machine=name, channel=channel, value=value):
                return self._set(self._machine(name), channel, value)
            case Stop():
                self.stop()
                return {}
            case _:
                assert_never(request)

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

    def _set(self, machine: Machine, channel: str, value: Value | None) -> dict[str, Any]:
        channels = list(dict.fromkeys(tag.channel for tag in machine.tags))
        if channel not in channels:
            raise Refused(f"channel: {machine.name} has no {channel!r}; allowed: {', '.join(channels)}")
        machine.set(channel, value)
        machine.refresh()
        return {}

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

    def _settings(self, name: str) -> MachineSettings:
        return next(machine for machine in self._works.plant.machines if machine.id == name)

    def _ready(self, truth_path: str) -> Ready:
        plant = self._works.plant
        endpoints = tuple(self._endpoint(machine) for machine in plant.machines)
        return Ready(plant.plant, os.getpid(), plant.seed, truth_path, f"{HOST}:{self._control.port}", endpoints)

    def _endpoint(self, settings: MachineSettings) -> Endpoint:
        machine = self._works.machines[settings.id]
        server = self._works.server_of(settings)[1]
        is_opcua = isinstance(server, OpcuaPlantServer)
        tags = tuple(
            EndpointTag(
                name=tag.name,
                type=tag.type,
                unit=tag.unit,
                scale=tag.scale,
                offset=tag.offset,
                table=tag.table,
                address=tag.address,
                word_order=tag.word_order,
                byte_order=tag.byte_order,
                bit=tag.bit,
                length=tag.length,
                node=f"ns=2;s={machine.name}.{tag.name}" if is_opcua else "",
            )
            for tag in machine.tags
        )
        return Endpoint(
            machine=machine.name,
            type=settings.type,
            protocol="opcua" if is_opcua else "modbus",
            url=self._url(settings),
            period_s=machine.source.period_s,
            counter=next(tag.name for tag in machine.tags if tag.channel == machine.source.counter),
            tags=tags,
            unit=settings.unit,
            max_registers=settings.max_registers,
            location=settings.location,
            security=self._security(settings),
        )

    def _url(self, settings: MachineSettings) -> str:
        described, server = self._works.server_of(settings)
        if isinstance(server, OpcuaPlantServer):
            return server.url
        if isinstance(server, RtuServer):
            return f"rtu://{server.path}"
        scheme = "tls" if isinstance(described, ModbusTlsServer) else "tcp"
        return f"{scheme}://{server.host}:{server.port}"

    def _security(self, settings: MachineSettings) -> Security | None:
        described, server = self._works.server_of(settings)
        made = self._works.certificates
        if isinstance(described, ModbusTlsServer):
            client, shown = made.for_tls("tls-client"), made.for_tls(described.id)
            return Security((), str(shown.certificate), str(made.ca), str(client.certificate), str(client.key))
        if not isinstance(server, OpcuaPlantServer) or server.certificate is None:
            return None
        client = made.for_opcua_client()
        return Security(
            policies=server.policies,
            server_certificate=str(server.certificate),
            client_certificate=str(client.certificate),
            client_key=str(client.key),
            application_uri=CLIENT_URI,
        )


async def _take_down(server: AnyServer) -> None:
    await server.stop()
    if isinstance(server, RtuServer):
        server.close()
