"""LocalIntake: the intake port in the process that writes, without a thread, a queue or a socket."""

from cloud.errors import CloudError, Unavailable
from cloud.ingest.intake import Intake
from cloud.ingest.parcels import DirectParcel
from cloud.ports import Arrival, Written


class LocalIntake:
    """Each arrival is a group of its own; for programs without other writers, and as the model of the remote one."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def take(self, arrival: Arrival) -> Written:
        """Return when the readings are durable; raise Invalid, or Unavailable where the store is full."""
        (outcome,) = self._intake.settle([DirectParcel(arrival)]).outcomes
        match outcome:
            case Written():
                return outcome
            case CloudError():
                raise outcome
            case None:
                raise Unavailable("the intake did not say what became of the readings")
