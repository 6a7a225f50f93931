"""Rows: devices that are silent, slow, or talk nonsense, and OPC UA servers that are restarted or show another face."""

import random
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from firmware_sim.mischief import MischiefKind
from tests.faults.programs import Needs
from tests.faults.row import Row
from tests.faults.stage import Stage

PUBLISHED_S = 0.5
"""How long a change may lie with an OPC UA server, or in a connection, before its client has it."""
LIES = (
    MischiefKind.WRONG_UNIT,
    MischiefKind.OTHER_UNIT,
    MischiefKind.WRONG_TRANSACTION,
    MischiefKind.ILLEGAL_ADDRESS,
    MischiefKind.DEVICE_FAILURE,
    MischiefKind.BUSY,
    MischiefKind.RESET,
)
CELL: Mapping[str, Any] = {
    "plant": "cell",
    "servers": [{"id": "cell", "protocol": "opcua", "security": ["None", "Basic256Sha256"]}],
    "machines": [
        {"id": "pump-1", "type": "pump", "server": "cell", "period_s": 0.2},
        {"id": "motor-1", "type": "motor", "server": "cell", "period_s": 0.2},
    ],
}
FIRM = Needs(timeout_s=3.0)


def device_misbehaves(stage: Stage, rng: random.Random, *, kinds: Sequence[MischiefKind]) -> None:
    """Let one machine, or all, answer nothing, late, cut off, or wrongly for a while; nothing of that is a reading."""
    machine = rng.choice([None, "pump-1", "motor-1"])
    kind, late_s = rng.choice(kinds), rng.uniform(0.1, 6.0)
    stage.journal.tell(f"{machine or 'all machines'}: {kind} {late_s:.1f}")
    asked = {"kind": kind, "value": late_s} | ({"machine": machine} if machine else {})
    answer = stage.ask_plant(do="mischief", **asked)
    assert answer["ok"], answer
    stage.last(rng.uniform(2.0, 8.0))
    stage.ask_plant(do="calm")
    stage.journal.tell("machines are as usual")
    stage.last(rng.uniform(1.0, 3.0))


def server_restarted(stage: Stage, rng: random.Random, *, kind: MischiefKind) -> None:
    """Have a server start again; what it had told and nobody had read by then is the network's, not the agent's."""
    stage.last(rng.uniform(0.5, 3.0))
    begun_s = time.time()
    stage.journal.tell(f"the server's mischief: {kind}")
    answer = stage.ask_plant(do="mischief", kind=kind)
    assert answer["ok"], answer
    stage.journal.broken_off(begun_s - PUBLISHED_S)
    stage.last(rng.uniform(3.0, 8.0))


def _modbus(*kinds: MischiefKind) -> Row:
    return Row(partial(device_misbehaves, kinds=kinds), FIRM, times=3, full_times=20, mixes=True)


def _opcua(kind: MischiefKind) -> Row:
    return Row(partial(server_restarted, kind=kind), Needs(plant=CELL, timeout_s=4.0), times=2, full_times=10)


ROWS = {
    "modbus-silent": _modbus(MischiefKind.SILENCE),
    "modbus-slow": _modbus(MischiefKind.DELAY),
    "modbus-garbage": _modbus(MischiefKind.GARBAGE),
    "modbus-half-frames": _modbus(MischiefKind.HALF_FRAME),
    "modbus-lies": _modbus(*LIES),
    "opcua-restarted": _opcua(MischiefKind.RESTART),
    "opcua-certificate-changed": _opcua(MischiefKind.CERTIFICATE),
    "opcua-connection-reset": _opcua(MischiefKind.RESET),
}
