"""What the plant needs of a server, whatever it speaks."""

from typing import Protocol

from firmware_sim.endpoints import Security
from firmware_sim.machine import Machine


class PlantServer(Protocol):
    """Serves some machines at one address. Owes: start and stop in any number and order, always at the same address."""

    @property
    def url(self) -> str:
        """Return where clients find it, once it was started."""

    @property
    def security(self) -> Security | None:
        """Return the files that a client needs, or None where it is open to all; once it was started."""

    async def start(self) -> None:
        """Listen; raise CannotListen."""

    async def stop(self) -> None:
        """Break every connection off and stop listening."""

    async def reset(self) -> None:
        """Break every connection off and go on listening."""

    async def publish(self, machine: Machine) -> None:
        """Tell subscribers of the machine's new row, before any request is answered."""

    def renew_certificate(self) -> None:
        """Show another certificate from the next start on, where one is pinned."""

    def close(self) -> None:
        """Take away what was made, after the last stop."""
