"""Parquet, through pyarrow, which nothing else here imports: what is read is bounded by its footer, and as it comes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloud.domain.dataset import ColumnKind
from cloud.learning.sheet import NO_LEVEL, NO_TIME, Sheet, SheetColumn
from cloud.learning.uploads.bounds import Bounds, Place, check_names

_PIECE = 65_536
_TYPES: Mapping[str, Any] = {"text": pa.string(), "number": pa.float64(), "time": pa.timestamp("us", tz="UTC")}
Columns = Mapping[str, Any]
"""Column by name: lists or arrays of one length, None where there is no value."""


def read_parquet(file: BinaryIO, bounds: Bounds) -> Sheet:
    """Return the rows of a Parquet file; raise Malformed that names the column, or TooLarge."""
    try:
        parquet = pq.ParquetFile(file)
        names = _check_footer(parquet, bounds)
        pieces, size = [], 0
        for piece in parquet.iter_batches(batch_size=_PIECE):
            size += piece.nbytes
            bounds.check_memory(size)
            pieces.append(piece)
        table = pa.Table.from_batches(pieces, parquet.schema_arrow)
        return Sheet(tuple(_column(name, table.column(index), bounds) for index, name in enumerate(names)))
    except (pa.ArrowException, OSError) as error:
        raise Place().wrong(f"not Parquet: {str(error).splitlines()[0]:.200}") from error


def _check_footer(parquet: Any, bounds: Bounds) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    footer = parquet.metadata
    bounds.check_columns(footer.num_columns)
    names = check_names(list(parquet.schema_arrow.names))
    if not footer.num_rows:
        raise Place().wrong("holds no rows", code="NO_ROWS")
    bounds.check_rows(footer.num_rows, len(names))
    bounds.check_memory(sum(footer.row_group(index).total_byte_size for index in range(footer.num_row_groups)))
    return names


def _column(name: str, column: Any, bounds: Bounds) -> SheetColumn:  # noqa: ANN401 - pyarrow has no types
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_text or (is_number and name in bounds.texts):
        return _categories(name, column.cast(pa.string()))
    if is_number:
        return _numbers(name, column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        microseconds = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        values = pc.fill_null(microseconds, NO_TIME).to_numpy()
        return SheetColumn(name, ColumnKind.TIME, np.asarray(values, np.int64))
    if pa.types.is_null(kind):
        return SheetColumn(name, ColumnKind.NUMBER, np.full(len(column), np.nan))
    raise Place(column=name).wrong(f"holds {kind}; numbers, texts, booleans and times can be read", code="MIXED_TYPES")


def _numbers(name: str, column: Any) -> SheetColumn:  # noqa: ANN401 - pyarrow has no types
    values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(), np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise Place(int(infinite[0]) + 1, name).wrong(f"{values[infinite[0]]} is not finite", code="NOT_FINITE")
    return SheetColumn(name, ColumnKind.NUMBER, values)


def _categories(name: str, column: Any) -> SheetColumn:  # noqa: ANN401 - pyarrow has no types
    coded = column.combine_chunks().dictionary_encode()
    codes = pc.fill_null(coded.indices, NO_LEVEL).to_numpy()
    return SheetColumn(name, ColumnKind.CATEGORY, np.asarray(codes, np.int32), tuple(coded.dictionary.to_pylist()))


class _Sink:
    """Takes what a writer writes, and gives it away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: Any) -> int:  # noqa: ANN401 - a buffer of pyarrow's
        """Take some bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def flush(self) -> None:
        """Do nothing: all is taken already."""

    def taken(self) -> bytes:
        """Return what came since the last time."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def write_parquet(kinds: Mapping[str, str], pieces: Iterable[Columns]) -> Iterator[bytes]:
    """Yield a Parquet file, one row group a piece; kinds: of each column, `text`, `number` or `time` (microseconds)."""
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in kinds.items()])
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for piece in pieces:
            arrays = [pa.array(piece[field.name], type=field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()
