"""Opening: the parts of learning that the processes and the command line share, out of the settings."""

from contextlib import ExitStack

from cloud.config import Settings
from cloud.fleet.signing import Signing
from cloud.jobs.limits import limits_of
from cloud.jobs.queue import Jobs
from cloud.jobs.trainings import Trainings
from cloud.jobs.usual import usual_training
from cloud.learning.datasets import Datasets
from cloud.learning.detectors import Detectors
from cloud.learning.experiments import Experiments
from cloud.learning.importing import Answer, Commission, read_upload
from cloud.learning.inference import Inference
from cloud.learning.registry import Registry
from cloud.learning.shelf import Shelf
from cloud.learning.uploads.bounds import Bounds
from cloud.ports import Clock, FileRef
from cloud.records.database import Records
from cloud.storage.files import DirectoryFiles
from cloud.threads import Threads

_MIB = 1024 * 1024
_UPLOADS_AT_ONCE, _UPLOADS_WAITING = 2, 8
_JUDGED_AT_ONCE, _JUDGED_WAITING = 2, 64


def open_models(settings: Settings, records: Records, clock: Clock) -> Registry:
    """Return the registry of models over the settings' files and keys."""
    return Registry(records, DirectoryFiles(settings.files_path), clock, Signing(settings.packages_path, clock))


def open_datasets(settings: Settings, records: Records, clock: Clock) -> Datasets:
    """Return the datasets, whose uploads are read in processes of their own."""
    learning = settings.learning

    def read(upload: FileRef, name: str, bounds: Bounds, only: str) -> Answer:
        return read_upload(Commission(str(settings.files_path), upload.name, name, bounds, only))

    return Datasets(
        records,
        DirectoryFiles(settings.files_path),
        clock,
        read,
        bounds=Bounds(learning.max_expanded_mib * _MIB, learning.max_rows, learning.max_columns),
        max_upload_bytes=learning.max_upload_mib * _MIB,
    )


def open_trainings(
    settings: Settings, records: Records, clock: Clock, datasets: Datasets, registry: Registry
) -> Trainings:
    """Return who asks for trainings."""
    return Trainings(
        Jobs(records, clock),
        datasets,
        Experiments(records, clock),
        registry,
        limits=limits_of(settings),
        usual=lambda: usual_training(records),
    )


def open_uploads() -> Threads[ExitStack]:
    """Return the threads in which uploads wait for their processes; what is beyond them is refused."""
    return Threads(ExitStack, count=_UPLOADS_AT_ONCE, waiting=_UPLOADS_WAITING)


def open_detectors(settings: Settings, records: Records, clock: Clock) -> Detectors:
    """Return the detectors over the settings' files."""
    return Detectors(records, DirectoryFiles(settings.files_path), clock)


def open_inference(settings: Settings, registry: Registry) -> Inference:
    """Return who asks models, with as much memory for them as the settings say."""
    return Inference(registry, Shelf(registry, most_bytes=settings.learning.models_mib * _MIB))


def open_judging() -> Threads[ExitStack]:
    """Return the threads in which models answer; what is beyond them is refused."""
    return Threads(ExitStack, count=_JUDGED_AT_ONCE, waiting=_JUDGED_WAITING)
