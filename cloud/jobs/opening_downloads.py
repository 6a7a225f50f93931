"""Opening: the files of reports and exports, out of the settings."""

from cloud.bus.master import read_master
from cloud.config import Settings
from cloud.operations.downloads import Downloads
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.storage.files import DirectoryFiles


def open_downloads(settings: Settings, records: Records, clock: Clock) -> Downloads:
    """Return the files; what signs links to them is a file of the data directory, made at its first use."""
    files = DirectoryFiles(settings.files_path)
    return Downloads(records, files, clock, lambda: read_master(settings.links_key_path))
