"""What a machine may lack for a row, which is then said, and neither clean nor wrong."""


class NotPlayable(Exception):
    """The row cannot be played on this machine; says what is missing."""
