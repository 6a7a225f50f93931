"""The demo's story: what is drawn is plausible, what is injected is watched, and the report tells the truth of it."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.fault import LASTS_S, MACHINES, SIGMA, PlannedFault, draw_fault
from deploy.outcome import Seen, judged, tell
from deploy.story import Story
from firmware_sim.faults import FaultKind
from firmware_sim.sources import KINDS
from firmware_sim.truth import Window

PLANT = {"pump-1": "pump", "motor-1": "motor", "compressor-1": "compressor", "oven-1": "oven"}


@pytest.mark.parametrize("seed", range(40))
def test_a_drawn_fault_is_one_that_its_machine_can_have_and_never_a_giant(seed: int) -> None:
    fault = drawn(seed)
    assert PLANT[fault.machine] in MACHINES[fault.kind]
    assert fault.channel in KINDS[PLANT[fault.machine]]
    assert SIGMA[0] <= fault.sigma <= SIGMA[1]
    assert 30 < fault.at_s < 60 - 10


def test_the_same_seed_draws_the_same_fault_and_others_draw_all_kinds() -> None:
    assert drawn(7) == drawn(7)
    assert {drawn(seed).kind for seed in range(60)} == set(MACHINES)
    assert {drawn(seed).machine for seed in range(60)} == set(PLANT)


def test_a_fault_waits_until_its_machine_is_judged() -> None:
    stage = Stage()
    story = stage.story(for_s=60.0)
    story.step(59.0, ())
    assert stage.asked == []
    story.step(59.5, PLANT)
    assert [asked["kind"] for asked in stage.asked] == [first_of(story).kind]


def test_a_run_with_an_end_has_one_fault_and_one_without_goes_on() -> None:
    for for_s, expected in ((60.0, 1), (None, 4)):
        stage = Stage()
        story = stage.story(for_s=for_s)
        for second in range(250):
            story.step(float(second), PLANT)
        assert len(stage.asked) == expected


def test_only_a_new_alarm_of_the_faulty_machine_is_its_detection() -> None:
    stage = Stage()
    stage.alarms = [alarm("old", "pump-1", at_us=1)]
    story = stage.story(for_s=60.0)
    story.step(59.0, PLANT)
    machine = first_of(story).machine
    other = next(name for name in PLANT if name != machine)
    stage.alarms += [alarm("elsewhere", other, at_us=2), alarm("lost", machine, at_us=3, kind="device_lost")]
    story.step(60.0, PLANT)
    assert story.detections == [None]
    stage.alarms.append(alarm("it", machine, at_us=4))
    story.step(61.0, PLANT)
    (detection,) = story.detections
    assert detection is not None
    assert (detection.alarm_id, detection.decided_us) == ("it", 4)


def test_the_report_counts_from_the_first_row_that_shows_the_fault() -> None:
    stage = Stage()
    story = stage.story(for_s=60.0)
    story.step(59.0, PLANT)
    fault = first_of(story)
    stage.alarms = [alarm("it", fault.machine, at_us=5_500_000, channel=fault.channel)]
    story.step(60.0, PLANT)
    window = Window(fault.machine, fault.kind, 2_000_000, None, 1, fault.channel, (fault.channel,), fault.sigma)
    models = [{"device": fault.machine, "standing": "serving", "bytes": 900, "invoke_us": 31.5}]
    told = tell(story, Seen([window], models, stage.alarms))
    assert (told.detected_after_s, told.detected_channel, told.alarm_id) == (3.5, fault.channel, "it")
    assert told.fault_injected_at == "1970-01-01T00:00:02.000+00:00"
    assert (told.model_bytes, told.inference_us, told.alarms_before, told.false_alarms) == (900, 31.5, 0, 0)
    assert told.is_good


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"at_us": 13_000_000}, "too late"),
        ({"channel": "another"}, "the wrong channel"),
        ({"device": "nobody"}, "never"),
    ],
)
def test_a_detection_that_is_late_or_wrong_is_no_success(change: Mapping[str, Any], why: str) -> None:
    stage = Stage()
    story = stage.story(for_s=60.0)
    story.step(59.0, PLANT)
    fault = first_of(story)
    words: dict[str, Any] = {"device": fault.machine, "at_us": 5, "channel": fault.channel}
    stage.alarms = [alarm("it", **words | dict(change))]
    story.step(60.0, PLANT)
    window = Window(fault.machine, fault.kind, 2, None, 1, fault.channel, (), fault.sigma)
    assert not tell(story, Seen([window], [], stage.alarms)).is_good, why


def test_an_alarm_before_the_fault_is_no_success_either() -> None:
    stage = Stage()
    stage.alarms = [alarm("early", "oven-1", at_us=1)]
    story = stage.story(for_s=60.0)
    story.step(59.0, PLANT)
    fault = first_of(story)
    stage.alarms.append(alarm("it", fault.machine, at_us=5, channel=fault.channel))
    story.step(60.0, PLANT)
    told = tell(story, Seen([], [], stage.alarms))
    assert told.alarms_before == 1
    assert not told.is_good


def test_a_fault_that_was_planned_and_never_came_is_no_success() -> None:
    assert not tell(Stage().story(for_s=60.0), Seen([], [], [])).is_good


def test_a_run_without_a_story_has_nothing_to_find() -> None:
    assert tell(None, Seen([], [], [])).is_good


def test_a_device_is_judged_once_a_model_serves() -> None:
    told = [{"device": "a", "standing": "serving"}, {"device": "b", "standing": "learning"}]
    assert judged({"judged": told}) == {"a"}
    assert judged({}) == frozenset()


class Stage:
    """A plant that obeys and an API whose alarms a test writes."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.alarms: list[dict[str, Any]] = []

    def story(self, *, for_s: float | None) -> Story:
        return Story(
            machines=PLANT,
            for_s=for_s,
            chance=random.Random(3),
            ask=self._ask,
            alarms=lambda: self.alarms,
            news=[],
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"ok": True}


def drawn(seed: int) -> PlannedFault:
    return draw_fault(PLANT, begins_s=0.0, lasts_s=60.0, chance=random.Random(seed))


def first_of(story: Story) -> PlannedFault:
    assert story.first is not None
    return story.first


def alarm(
    id: str,  # noqa: A002 - the API's own word
    device: str,
    *,
    at_us: int,
    channel: str = "vibration",
    kind: str = "anomaly",
) -> dict[str, Any]:
    return {
        "id": id,
        "device_id": device,
        "type": kind,
        "channel": channel,
        "raised_at": datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(),
        "message": "unlike its normal behaviour",
    }


def test_a_fault_lasts_longer_than_it_may_take_to_find() -> None:
    assert LASTS_S > 10
    assert FaultKind.SPIKE not in MACHINES
