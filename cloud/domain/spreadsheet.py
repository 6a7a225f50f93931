"""Texts on their way to people's spreadsheets: what would be run there as a formula is made a plain text.

OWASP, CSV Injection: a cell that begins with one of = + - @, a tab or a carriage return gets an apostrophe before it.
"""

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Return the text so that no spreadsheet runs it; a plain number stays as it is."""
    if not text.startswith(_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
