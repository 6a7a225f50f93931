"""What came of the demo's story: the fault as the plant wrote it down, against what the gateway and the API said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.report import Told
from deploy.story import Injected, Story
from firmware_sim.truth import Window


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a run: the truth's faults, the gateway's models by the API, and every alarm in it."""

    windows: Sequence[Window]
    models: Sequence[Mapping[str, Any]]
    alarms: Sequence[Mapping[str, Any]]


def tell(story: Story | None, seen: Seen) -> Told:
    """Return what came of the first fault."""
    if story is None or story.first is None:
        return Told()
    fault = story.first
    planned = Told(
        fault_machine=fault.machine, fault_kind=fault.kind, fault_channel=fault.channel, fault_sigma=fault.sigma
    )
    if not story.injected:
        return planned
    return _told(story, story.injected[0], seen)


def _window(windows: Sequence[Window], machine: str) -> Window | None:
    return next((window for window in windows if window.machine == machine), None)


def _told(story: Story, injected: Injected, seen: Seen) -> Told:
    fault, detection = injected.fault, story.detections[0]
    window = _window(seen.windows, fault.machine)
    onset_us = injected.at_us if window is None else window.onset_us
    model = next((one for one in seen.models if one["device"] == fault.machine), {})
    return Told(
        fault_machine=fault.machine,
        fault_kind=fault.kind,
        fault_channel=fault.channel,
        fault_sigma=fault.sigma,
        fault_injected_at=datetime.fromtimestamp(onset_us / 1e6, UTC).isoformat(timespec="milliseconds"),
        detected_after_s=None if detection is None else round((detection.decided_us - onset_us) / 1e6, 2),
        detected_channel=None if detection is None else detection.channel,
        detected_by=None if detection is None else detection.kind,
        alarm_id=None if detection is None else detection.alarm_id,
        alarm_in_api_after_s=None if detection is None else round((detection.seen_us - detection.decided_us) / 1e6, 2),
        alarms_before=len(injected.known),
        false_alarms=story.false_alarms(seen.alarms),
        model_bytes=model.get("bytes"),
        inference_us=model.get("invoke_us"),
    )


def judged(status: Mapping[str, Any]) -> frozenset[str]:
    """Return the Devices on which a model serves, by the agent's own word."""
    return frozenset(one["device"] for one in status.get("judged", ()) if one["standing"] == "serving")
