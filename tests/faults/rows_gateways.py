"""Rows: gateways that are cloned or replaced, and messages that no gateway of ours would send."""

import random
import shutil
from pathlib import Path

import yaml

from deploy.fetch import Api
from deploy.line import command
from deploy.supervise import run_to_end
from protocols.batch import MAX_ACCEPTED_BYTES, BatchKind, SealedBatch
from protocols.codec import seal_data
from protocols.compression import compress
from protocols.topics import GatewayTopic
from tests.faults.conditions import Conditions
from tests.faults.programs import AGENT, GATEWAY, Needs
from tests.faults.row import Row
from tests.faults.stage import Stage
from tests.support.gateway import GatewayClient
from tests.support.ingest import TABLE, data, frame, tags
from tests.support.readings import block

CLONE = "agent-clone"
ATTACKER = "gw-9"
BOMB = SealedBatch(BatchKind.DATA, 0, TABLE.hash, 3, compress(bytes(64 * 1024 * 1024)))


def gateway_cloned(stage: Stage, rng: random.Random) -> None:
    """Copy a gateway with all that it holds and run both under one name until the cloud has noticed."""
    stage.stop(AGENT)
    if all(seat.name != CLONE for seat in stage.seats):
        stage.seat_agent(CLONE, GATEWAY)
    clone = next(seat for seat in stage.seats if seat.name == CLONE)
    stage.journal.tell("copy the gateway's buffer to its clone")
    clone.buffer.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(stage.seat.buffer, clone.buffer)
    for name in (AGENT, CLONE):
        stage.start(name)
    stage.wait(lambda: "identity_cloned" in alarm_types(stage))
    stage.last(rng.uniform(0.0, 5.0))
    stage.stop(CLONE)


def alarm_types(stage: Stage) -> set[str]:
    """Return the types of all alarms that the cloud shows."""
    path = stage.directory / "key"
    if not path.exists():
        create = (*command("lineside-cloud"), "key", "create", "test", "--scope", "admin", "--config")
        path.write_bytes(run_to_end((*create, str(stage.config)), stage.directory / "command.log"))
    with Api(f"http://127.0.0.1:{stage.api_port}", path.read_text().strip()) as api:
        return {str(alarm["type"]) for alarm in api.alarms()}


def agent_replaced(stage: Stage, rng: random.Random) -> None:
    """Fill the buffer while nobody can be reached, and put another version in the agent's place, which has other tags.

    A build of its own is not at hand here: what changes is what an upgrade changes for the buffer, its tag table.
    """
    stage.network.switch(Conditions(refuses=True))
    stage.last(rng.uniform(4.0, 8.0))
    stage.end(AGENT, by_force=rng.random() < 0.5)
    _change_tags(stage.seat.directory / "agent.yaml", unit=f"unit-{rng.randrange(1000)}")
    stage.start(AGENT)
    stage.last(rng.uniform(1.0, 2.0))


def _change_tags(config: Path, *, unit: str) -> None:
    document = yaml.safe_load(config.read_text())
    for device in document["devices"]:
        device["tags"][0]["unit"] = unit
    config.write_text(yaml.safe_dump(document, sort_keys=False))


def poison_beside_live_data(stage: Stage, rng: random.Random) -> None:
    """Publish what is cut off, too large, bent, a bomb, or wrong inside, under names of others and of the gateway."""
    wrong_tag = seal_data(block([1.0], tag=99), segment=0, table=TABLE.hash)
    epoch = rng.randrange(1, 1 << 16)
    good = data(50, gateway=ATTACKER, epoch=epoch)
    with GatewayClient(stage.broker_port, ATTACKER) as attacker:
        attacker.publish(GatewayTopic.DATA, tags(1, gateway=ATTACKER, epoch=epoch))
        for seq in range(2, rng.randrange(20, 60)):
            chosen = rng.choice(
                [
                    good[: rng.randrange(len(good))],
                    b"LB\x01" + bytes(MAX_ACCEPTED_BYTES),
                    good[:-1] + bytes([good[-1] ^ 1]),
                    b"LB\x63" + good[3:],
                    rng.randbytes(rng.randrange(1, 2000)),
                    frame(BOMB, seq, gateway=ATTACKER, epoch=epoch),
                    frame(wrong_tag, seq, gateway=ATTACKER, epoch=epoch),
                ]
            )
            attacker.publish(GatewayTopic.DATA, chosen)
            attacker.publish_to(f"v1/gw/{GATEWAY}/data", rng.choice([good, chosen]))
            attacker.publish_to(f"v1/gw/{GATEWAY}/{rng.choice(['hello', 'state', 'ack'])}", rng.randbytes(40))
        stage.journal.tell(f"{seq - 1} rounds of poison")
        stage.last(rng.uniform(1.0, 3.0))


ROWS = {
    "gateway-cloned": Row(gateway_cloned, Needs(whole_cloud=True), times=1),
    "agent-replaced": Row(agent_replaced, times=2, full_times=10),
    "poison": Row(poison_beside_live_data, times=2, mixes=True, full_times=10),
}
