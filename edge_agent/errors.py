"""Every way in which the agent's work can fail on purpose.

LinesideError
`-- AgentError
|-- InvalidConfig       the configuration file is wrong: every finding at once, with file:line:column
|-- DeviceError         a Device cannot be read now
|   `-- DeviceLost      nothing answers at all: probe again later
|-- BufferUnusable      the buffer cannot be used
|   |-- BufferFull      nothing more can be given up for room
|   `-- BufferDamaged   the file is not a buffer, or is corrupt; it was set aside
`-- UplinkLost          the broker cannot be reached, or went away
"""

from protocols.errors import LinesideError


class AgentError(LinesideError):
    """The root of the agent's errors."""


class InvalidConfig(AgentError):
    """The configuration file is wrong."""


class DeviceError(AgentError):
    """A Device cannot be read now."""


class DeviceLost(DeviceError):
    """Nothing answers at all."""


class BufferUnusable(AgentError):
    """The buffer cannot be used."""


class BufferFull(BufferUnusable):
    """Nothing more can be given up for room."""


class BufferDamaged(BufferUnusable):
    """The file is not a buffer, or is corrupt."""


class UplinkLost(AgentError):
    """The broker cannot be reached, or went away."""
