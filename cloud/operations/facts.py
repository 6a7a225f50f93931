"""Facts: what people tell of Devices - limits, criticality, tariffs - and that one was repaired; all in the audit."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.device import Device
from cloud.domain.device_facts import ChannelLimits, DeviceFacts
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.device_facts import delete_limits, facts_of, list_limits, put_facts, put_limits
from cloud.records.drift import forget_baselines


class Facts:
    """The facts of one installation's Devices; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def of(self, device: Device) -> DeviceFacts:
        """Return what is known of a Device; raise Unavailable."""
        with self._records.reading() as session:
            return facts_of(session, device.source, device.device_id)

    def tell(self, device: Device, facts: DeviceFacts, *, by: str) -> DeviceFacts:
        """Keep facts in place of those before; limits and the last repair stay. Raise Invalid, Unavailable."""
        facts.check()
        with self._records.writing() as session:
            before = facts_of(session, device.source, device.device_id)
            put_facts(session, replace(facts, baseline_reset_at=before.baseline_reset_at))
            told = {"criticality": facts.criticality, "rated_interval_s": facts.rated_interval_s}
            self._write_down(session, by, "device.facts", device, {**told, "tariff_per_kwh": facts.tariff_per_kwh})
            return facts_of(session, device.source, device.device_id)

    def limits(self, device: Device) -> Sequence[ChannelLimits]:
        """Return the limits of a Device's Tags; raise Unavailable."""
        with self._records.reading() as session:
            return list_limits(session, source=device.source, device=device.device_id)

    def limit(self, device: Device, limits: ChannelLimits, *, by: str) -> ChannelLimits:
        """Keep the limits of a Tag in place of those before; raise Invalid, Unavailable."""
        limits.check()
        with self._records.writing() as session:
            put_limits(session, limits)
            told: dict[str, object] = {"tag": limits.tag, "sides": [list(side) for side in limits.sides]}
            self._write_down(session, by, "device.limits", device, told)
        return limits

    def forget_limits(self, device: Device, tag: str, *, by: str) -> None:
        """Forget the limits of a Tag; raise NotFound where it has none, Unavailable."""
        with self._records.writing() as session:
            if not delete_limits(session, device.source, device.device_id, tag):
                told = f"device {device.shown_id} has no limits of {tag!r:.100}"
                raise NotFound(told, code="LIMITS_NOT_FOUND", details={"device_id": device.shown_id, "tag": tag[:200]})
            self._write_down(session, by, "device.limits_forgotten", device, {"tag": tag})

    def reset_baseline(self, device: Device, *, by: str, why: str = "") -> DeviceFacts:
        """Take the Device for as new from now on, after a repair: nothing older is compared with. Raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            before = facts_of(session, device.source, device.device_id)
            put_facts(session, replace(before, baseline_reset_at=now))
            forget_baselines(session, device.source, device.device_id)
            self._write_down(session, by, "device.baseline_reset", device, {"why": why})
            return facts_of(session, device.source, device.device_id)

    def _write_down(self, session: Session, by: str, action: str, device: Device, details: dict[str, object]) -> None:
        at = to_datetime(self._clock.now_us())
        add_audit(session, AuditEntry(at, by, action, f"device:{device.shown_id}", details))
