"""Readings that come faster than they are judged: the oldest are left out, which is counted; nobody waits for it."""

from pathlib import Path

import numpy as np

from edge_agent.buffers.thread import BufferThread
from edge_agent.config.load import load
from edge_agent.wiring.assembly import Assembly
from edge_agent.wiring.detection import MOST_WAITING
from edge_agent.wiring.run import buffer_file
from edge_agent.wiring.site import SystemClock
from protocols.reading import Column, Kind, ReadingBlock

CONFIG = """\
gateway: gw-1
detect: true
devices:
  - {id: pump-1, protocol: modbus, url: "tcp://127.0.0.1:1", tags: [{name: flow, address: 0, type: float32}]}
"""
TWO = ReadingBlock(
    (Column(Kind.FLOAT, np.zeros(2, np.uint32), np.arange(2), np.zeros(2), np.zeros(2, np.uint8)),),
)


async def test_the_oldest_go_and_are_counted_by_device(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(CONFIG)
    settings = load(path, {})
    buffer = BufferThread(buffer_file(settings, SystemClock()).open)
    detection = Assembly(settings, {}, buffer).detection
    assert detection is not None
    judge = detection.tap("pump-1")
    assert judge is not None
    for _ in range(MOST_WAITING + 3):
        judge(TWO)
    assert detection.states()[0].left_out == 6
    await buffer.close()
