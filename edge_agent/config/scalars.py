"""One YAML scalar -> str, int, float or bool, or a sentence why not; YAML 1.1's surprises are answered, not guessed."""

import math
import re

from edge_agent.config.source import Scalar

PLAIN_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
BASED_INTEGER = re.compile(r"[-+]?0[xX][0-9a-fA-F_]+|[-+]?0b[01_]+")
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
MAX_DIGITS = 40
MAX_SHOWN = 60


class Misread(Exception):
    """A scalar that is not what its key needs; suggestion: what to write instead, may be empty."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


def shown(text: str) -> str:
    """Return the value as messages quote it, cut where it is long."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def text_of(scalar: Scalar) -> str:
    """Return the text; raise Misread where YAML would take it for something else than text."""
    if scalar.implied == "str" or scalar.is_quoted:
        return scalar.text
    if scalar.implied == "null":
        raise Misread("has no value", "write one, or remove the key")
    kinds = {"bool": "true or false", "timestamp": "a date"}
    kind = kinds.get(scalar.implied, "a number")
    raise Misread(f"{scalar.text} is {kind} to YAML, not text", f'put it in quotes: "{scalar.text}"')


def flag_of(scalar: Scalar) -> bool:
    """Return the boolean; raise Misread for the words that only YAML 1.1 takes for one, and for all else."""
    written = scalar.text.lower()
    if written in ("true", "false") and not scalar.is_quoted:
        return written == "true"
    meant = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}.get(written)
    advice = f"write {meant}, without quotes" if meant else ""
    raise Misread(f"{shown(scalar.text)} is neither true nor false", advice)


def integer_of(scalar: Scalar) -> int:
    """Return the whole number, decimal, 0x or 0b; raise Misread where it is none or means something else to YAML."""
    digits = _digits(scalar)
    if PLAIN_INTEGER.fullmatch(digits):
        return int(digits)
    if BASED_INTEGER.fullmatch(digits):
        return int(digits, 0)
    _refuse_yaml_surprises(digits)
    number = _parse(digits)
    advice = f"write {number:.0f}" if math.isfinite(number) and number.is_integer() else ""
    raise Misread(f"{shown(scalar.text)} is not a whole number", advice)


def number_of(scalar: Scalar) -> float:
    """Return the number; 1e3 is one; raise Misread for infinities, NaN and text."""
    digits = _digits(scalar)
    if BASED_INTEGER.fullmatch(digits):
        return float(int(digits, 0))
    _refuse_yaml_surprises(digits)
    number = _parse(digits.replace("_", ""))
    if math.isfinite(number):
        return number
    if DECIMAL_COMMA.fullmatch(digits):
        raise Misread(f"{shown(digits)} is not a number", f"write {digits.replace(',', '.')}")
    is_infinite = digits.lower().lstrip("+-") in (".inf", "inf", "infinity", ".nan", "nan") or math.isinf(number)
    raise Misread(f"{shown(scalar.text)} is not a {'finite ' if is_infinite else ''}number")


def _digits(scalar: Scalar) -> str:
    text = scalar.text.strip()
    if scalar.implied == "null" and not scalar.is_quoted:
        raise Misread("has no value", "write a number, or remove the key")
    if len(text) > MAX_DIGITS:
        raise Misread(f"{shown(text)} is not a number of up to {MAX_DIGITS} digits")
    if scalar.is_quoted:
        is_number = math.isfinite(_parse(text))
        raise Misread(f"{shown(text)} is text, not a number", f"remove the quotes: {text}" if is_number else "")
    return text


def _refuse_yaml_surprises(digits: str) -> None:
    if SEXAGESIMAL.fullmatch(digits):
        raise Misread(f"{shown(digits)} is a number to base 60 in YAML", "write it in decimal digits")
    if LEADING_ZERO.fullmatch(digits):
        decimal = digits.replace("_", "").lstrip("+-").lstrip("0") or "0"
        raise Misread(f"{shown(digits)} may be octal to YAML", f"write {decimal} without the leading zero")


def _parse(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
