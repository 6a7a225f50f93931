"""The records for a command that works beside a running cloud, and closes them behind it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cloud.commands.options import refused, settings_of
from cloud.config import Settings
from cloud.records.database import Records


@contextmanager
def records_of(config: Path) -> Iterator[tuple[Settings, Records]]:
    """Give the settings and the records, whose tables are current; what is refused meanwhile is told in words."""
    with refused():
        settings = settings_of(config)
        with closing(Records(settings.records_url)) as records:
            records.require_current()
            yield settings, records
