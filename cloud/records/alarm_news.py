"""AlarmNews: writes the notice of each change of an alarm, in the transaction of the change."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm
from cloud.domain.alarm_news import news_of_alarm
from cloud.records.devices import DeviceRow
from cloud.records.notices import add_notice


class AlarmNews:
    """The notices of one transaction; it looks up once how people call a Device."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: dict[tuple[str, str], str] = {}

    def tell(
        self, alarm: Alarm, action: str, *, by: str, at_us: int, details: Mapping[str, object] | None = None
    ) -> None:
        """Write what happened to an alarm; action: as the audit calls it, such as `alarm.raise`."""
        add_notice(
            self._session,
            news_of_alarm(alarm, action, device=self._name(alarm), by=by, at_us=at_us, details=details),
        )

    def _name(self, alarm: Alarm) -> str:
        source, device = alarm.condition.source, alarm.condition.device
        if not device:
            return source
        key = (source, device)
        if key not in self._names:
            query = select(DeviceRow.shown_id).where(DeviceRow.source == source, DeviceRow.device_id == device)
            with self._session.no_autoflush:
                self._names[key] = self._session.scalar(query) or device
        return self._names[key]
