"""Every way in which the simulated plant can fail on purpose.

LinesideError
`-- PlantError
|-- InvalidPlant        the plant file is wrong: says the file, the key and what is allowed
|-- InvalidRecording    a recording cannot be replayed: says the file and the line
|-- InvalidTruth        a truth file is not one: says the file and the line
|-- CannotListen        an address is taken or not ours
`-- Refused             a request over the control port cannot be done
"""

from protocols.errors import LinesideError


class PlantError(LinesideError):
    """The root of the plant's errors."""


class InvalidPlant(PlantError):
    """The plant file is wrong."""


class InvalidRecording(PlantError):
    """A recording cannot be replayed."""


class InvalidTruth(PlantError):
    """A truth file is not one."""


class CannotListen(PlantError):
    """An address is taken or not ours."""


class Refused(PlantError):
    """A request over the control port cannot be done."""
