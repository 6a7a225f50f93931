"""What was neither told nor judged is counted, and seen: in the status, in its problems, in the metrics."""

from edge_agent.watch.metrics import exposition
from edge_agent.watch.report import slips
from edge_agent.watch.status import AgentStatus, BufferState, DeliveryState, JudgedState


def test_events_and_readings_that_went_are_told_in_words() -> None:
    judged = (JudgedState("pump-1", "own@1", "serving", left_out=7), JudgedState("fan-1", "own@1", "serving"))
    assert slips(judged, 3) == (
        "3 events were lost: too many waited",
        "7 readings of pump-1 were not judged: the gateway is too slow",
    )
    assert slips(judged[1:], 0) == ()


def test_they_are_metrics() -> None:
    judged = JudgedState("pump-1", "own@1", "serving", unscored=5, left_out=7)
    status = AgentStatus(
        "gw-1", "0", "", 1.0, (), (), BufferState(), DeliveryState(), (), judged=(judged,), lost_events=3
    )
    lines = exposition(status, resident_bytes=1, cpu_s=1.0).decode().splitlines()
    assert "lineside_agent_events_lost_total 3.0" in lines
    assert 'lineside_agent_unscored_rows_total{source="pump-1"} 5.0' in lines
    assert 'lineside_agent_unjudged_readings_total{source="pump-1"} 7.0' in lines
