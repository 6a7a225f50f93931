"""Words <-> values for every type and order, whole arrays at once: a Layout is made once and decodes each answer.

A register is a 16-bit word. Byte order is the order inside a word, word order that of the words of one value. Scaled
numbers are float64: value = word * scale + offset, computed as `protocols.scaling` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocols.errors import InvalidContent, InvalidTag
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.scaling import Ratio, ratio
from protocols.tag import ByteOrder, DataType, WordOrder

Words = NDArray[np.uint16]
MAX_TEXT_WORDS = 125
"""A string must fit into one Modbus answer."""

_NUMBERS: dict[DataType, np.dtype[Any]] = {
    DataType.INT16: np.dtype("<i2"),
    DataType.UINT16: np.dtype("<u2"),
    DataType.INT32: np.dtype("<i4"),
    DataType.UINT32: np.dtype("<u4"),
    DataType.INT64: np.dtype("<i8"),
    DataType.UINT64: np.dtype("<u8"),
    DataType.FLOAT32: np.dtype("<f4"),
    DataType.FLOAT64: np.dtype("<f8"),
}


@dataclass(frozen=True, slots=True)
class RegisterFormat:
    """How one value lies in registers; raises InvalidTag where its parts contradict each other.

    bit: of a bool, 0 is the lowest one, None means any; length: words of a string; low, high: what the value may be.
    """

    type: DataType
    byte_order: ByteOrder = ByteOrder.BIG
    word_order: WordOrder = WordOrder.BIG
    bit: int | None = None
    length: int = 1
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Raise InvalidTag where the parts contradict each other."""
        is_number = self.type in _NUMBERS
        if self.bit is not None and (self.type != DataType.BOOL or not 0 <= self.bit <= 15):
            raise InvalidTag(f"bit {self.bit} of a {self.type}: only a bool is a bit, and bits are 0 to 15")
        if not 1 <= self.length <= MAX_TEXT_WORDS or (self.length > 1 and self.type != DataType.TEXT):
            raise InvalidTag(
                f"length {self.length} of a {self.type}: only a string has one, 1 to {MAX_TEXT_WORDS} words"
            )
        if not (isfinite(self.scale) and isfinite(self.offset)) or self.scale == 0:
            raise InvalidTag(f"scale {self.scale} and offset {self.offset} must be finite, and the scale not 0")
        if not is_number and (self.is_scaled or self.low is not None or self.high is not None):
            raise InvalidTag(f"a {self.type} has neither scale nor range")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise InvalidTag(f"range [{self.low}, {self.high}] is empty")

    @property
    def is_scaled(self) -> bool:
        """Return whether values differ from what lies in the registers."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def kind(self) -> Kind:
        """Return the column that values live in: that of the type, or FLOAT once scaled."""
        return Kind.FLOAT if self.is_scaled else self.type.kind

    @property
    def words(self) -> int:
        """Return how many registers one value takes."""
        return self.length if self.type == DataType.TEXT else self.type.words

    @property
    def ratio(self) -> Ratio:
        """Return how a value is computed from what lies in the registers."""
        return ratio(self.scale, self.offset)


class Placed(NamedTuple):
    """Where the value of a tag (its index in the tag table) lies in an answer; offset in words."""

    tag: int
    offset: int
    form: RegisterFormat


class Layout:
    """A plan that turns the words of one answer into a ReadingBlock, one row a tag, with a few array operations."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        """Plan these values; raise InvalidTag where an offset is negative."""
        if any(place.offset < 0 for place in placed):
            raise InvalidTag("a value cannot lie before the first word")
        self.words = max((place.offset + place.form.words for place in placed), default=0)
        ordered = sorted(placed, key=lambda place: (place.form.kind, _group_key(place.form)))
        self._columns = [
            _ColumnPlan(kind, list(places)) for kind, places in groupby(ordered, key=lambda place: place.form.kind)
        ]

    def decode(self, words: Words, time_us: int | NDArray[np.int64]) -> ReadingBlock:
        """Return one row a tag; time_us: of the answer, or one for each word, shape as `words`.

        Raises InvalidContent where there are fewer words than planned. A number that is not finite, out of its range
        or a text that is not UTF-8 keeps its value and gets a bad quality.
        """
        if len(words) < self.words:
            raise InvalidContent(f"an answer of {len(words)} registers where {self.words} are needed")
        texts: dict[str, int] = {}
        with np.errstate(all="ignore"):  # a device may say any bits, signalling NaNs among them
            columns = tuple(plan.decode(words, time_us, texts) for plan in self._columns)
        return ReadingBlock(columns, tuple(texts))

    def unread(self, time_us: int, quality: Quality) -> ReadingBlock:
        """Return one row a tag that has no value but this quality."""
        return ReadingBlock(
            tuple(plan.unread(time_us, quality) for plan in self._columns),
            ("",) if any(plan.kind == Kind.TEXT for plan in self._columns) else (),
        )


def decode(words: Words, form: RegisterFormat) -> list[float | int | bool | str]:
    """Return the values that lie one behind another in `words`."""
    size = form.words
    places = [Placed(index, index * size, form) for index in range(len(words) // size)]
    block = Layout(places).decode(words, 0)
    values: list[Any] = [] if not places else block.columns[0].value.tolist()
    match form.kind:
        case Kind.TEXT:
            return [block.texts[value] for value in values]
        case Kind.BOOL:
            return [bool(value) for value in values]
        case Kind.FLOAT | Kind.INT | Kind.UINT:
            return values


def encode(values: Sequence[float | bool | str] | NDArray[Any], form: RegisterFormat) -> Words:
    """Return the words of these values one behind another, shape (n * form.words,).

    Scaled values are rounded to the nearest number that the registers can say. Raises InvalidContent where a value is
    not of the type or does not fit.
    """
    if form.type == DataType.TEXT:
        return np.concatenate([np.empty(0, np.uint16), *(_text_words(str(value), form) for value in values)])
    if form.type == DataType.BOOL:
        return _in_order(
            np.asarray(values, dtype=np.bool_).astype(np.uint16) << np.uint16(form.bit or 0), form.byte_order
        )
    low_first = _fitted(values, form).view("<u2").reshape(-1, form.words)
    words = low_first[:, ::-1] if form.word_order == WordOrder.BIG else low_first
    return _in_order(np.ascontiguousarray(words).reshape(-1).astype(np.uint16), form.byte_order)


def _fitted(values: Sequence[float | bool | str] | NDArray[Any], form: RegisterFormat) -> NDArray[Any]:
    """Return the values as they lie in registers, in the dtype of the type; raise InvalidContent."""
    dtype = _NUMBERS[form.type]
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "iufb" and len(numbers):
        raise InvalidContent(f"{numbers.dtype} values are no {form.type}")
    if form.is_scaled:
        factor, summand, divisor = form.ratio
        numbers = (numbers * divisor - summand) / factor
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    if numbers.dtype.kind == "f":
        numbers = np.rint(numbers)
    limits = np.iinfo(dtype)
    # the largest 64-bit numbers are no float64: the next one up is the first that does not fit
    fits = (numbers >= limits.min) & (
        numbers < float(limits.max) + 1 if numbers.dtype.kind == "f" else numbers <= limits.max
    )
    if not fits.all():
        raise InvalidContent(f"{numbers[~fits][0]} does not fit {form.type}")
    return numbers.astype(dtype)


def _text_words(text: str, form: RegisterFormat) -> Words:
    raw = text.encode("utf-8", errors="replace")
    if len(raw) > 2 * form.length:
        raise InvalidContent(f"{text[:80]!r} takes {len(raw)} bytes, the string has {2 * form.length}")
    return _in_order(np.frombuffer(raw.ljust(2 * form.length, b"\0"), ">u2").astype(np.uint16), form.byte_order)


def _in_order(words: Words, byte_order: ByteOrder) -> Words:
    return words if byte_order == ByteOrder.BIG else words.byteswap()


def _group_key(form: RegisterFormat) -> tuple[Any, ...]:
    """Return what values must share to be decoded together."""
    return form.type, form.byte_order, form.word_order, form.is_scaled


Decode = Callable[[Words], NDArray[Any]]


class _ColumnPlan:
    """All values of one kind: one decoding step a group of equal format, then scale and range over the whole column."""

    def __init__(self, kind: Kind, places: list[Placed]) -> None:
        self.kind = kind
        self._forms = [place.form for place in places]
        self._offsets = np.array([place.offset for place in places], dtype=np.intp)
        self._tags = np.array([place.tag for place in places], dtype=np.uint32)
        grouped = groupby(places, key=lambda place: _group_key(place.form)) if kind != Kind.TEXT else ()
        self._groups = [_number_decoder(list(group)) for _, group in grouped]

    @cached_property
    def _range(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        if all(form.low is None and form.high is None for form in self._forms):
            return None
        low = [-np.inf if form.low is None else form.low for form in self._forms]
        high = [np.inf if form.high is None else form.high for form in self._forms]
        return np.array(low), np.array(high)

    def decode(self, words: Words, time_us: int | NDArray[np.int64], texts: dict[str, int]) -> Column:
        if self.kind == Kind.TEXT:
            value, quality = self._read_texts(words, texts)
        else:
            parts = [group(words) for group in self._groups]
            value = parts[0] if len(parts) == 1 else np.concatenate(parts)
            quality = self._judge(value)
        times = np.full(len(value), time_us, np.int64) if isinstance(time_us, int) else time_us[self._offsets]
        return Column(self.kind, self._tags, times, value, quality)

    def unread(self, time_us: int, quality: Quality) -> Column:
        count = len(self._tags)
        value = np.full(count, np.nan if self.kind == Kind.FLOAT else 0, dtype=self.kind.dtype)
        return Column(
            self.kind, self._tags, np.full(count, time_us, np.int64), value, np.full(count, quality, np.uint8)
        )

    def _judge(self, value: NDArray[Any]) -> NDArray[np.uint8]:
        quality = np.zeros(len(value), dtype=np.uint8)
        if self._range is not None:
            low, high = self._range
            quality[(value < low) | (value > high)] = Quality.OUT_OF_RANGE
        if self.kind == Kind.FLOAT:
            quality[~np.isfinite(value)] = Quality.NOT_A_NUMBER
        return quality

    def _read_texts(self, words: Words, texts: dict[str, int]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        value = np.zeros(len(self._forms), dtype=np.uint32)
        quality = np.zeros(len(self._forms), dtype=np.uint8)
        for row, (form, offset) in enumerate(zip(self._forms, self._offsets, strict=True)):
            raw = _in_order(words[offset : offset + form.length], form.byte_order).astype(">u2").tobytes()
            text = raw.split(b"\0", 1)[0].decode("utf-8", errors="replace").rstrip(" ")
            value[row] = texts.setdefault(text, len(texts))
            quality[row] = Quality.BAD if "\ufffd" in text else Quality.GOOD
        return value, quality


def _number_decoder(places: list[Placed]) -> Decode:
    """Return what reads the numbers or bits of one group out of an answer's words."""
    form = places[0].form
    offsets = np.array([place.offset for place in places], dtype=np.intp)
    if form.type == DataType.BOOL:
        masks = np.array([0xFFFF if p.form.bit is None else 1 << p.form.bit for p in places], dtype=np.uint16)
        masks = _in_order(masks, form.byte_order)
        return lambda words: (words[offsets] & masks != 0).astype(np.uint8)
    dtype, target = _NUMBERS[form.type], form.type.kind.dtype
    steps = np.arange(form.words)[:: -1 if form.word_order == WordOrder.BIG else 1]
    index = (offsets[:, None] + steps).reshape(-1)

    def read(words: Words) -> NDArray[Any]:
        return _in_order(words.take(index), form.byte_order).astype("<u2").view(dtype).astype(target)

    if not form.is_scaled:
        return read
    factor, summand, divisor = (np.array(part) for part in zip(*(p.form.ratio for p in places), strict=True))
    return lambda words: (read(words) * factor + summand) / divisor
