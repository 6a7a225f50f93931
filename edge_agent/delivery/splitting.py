"""Readings into batches: blocks gathered until a batch is full, large ones cut, frames kept under their bound; pure."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from protocols.batch import MAX_FRAME_BYTES, SealedBatch
from protocols.codec import seal_data
from protocols.reading import Column, Kind, ReadingBlock, join

MAX_ROWS = 16_384
_ROOM_FOR_HEADER = 512
_BODY_BYTES = MAX_FRAME_BYTES - _ROOM_FOR_HEADER


def gather(blocks: Iterable[ReadingBlock], rows: int) -> Iterator[Sequence[ReadingBlock]]:
    """Yield groups of at most `rows` readings each, in order, of whole blocks where they fit."""
    waiting: list[ReadingBlock] = []
    count = 0
    for block in blocks:
        if waiting and count + len(block) > rows:
            yield waiting
            waiting, count = [], 0
        if len(block) > rows:
            yield from ([part] for part in cut(block, rows))
        elif len(block):
            waiting.append(block)
            count += len(block)
    if waiting:
        yield waiting


def cut(block: ReadingBlock, rows: int) -> Iterator[ReadingBlock]:
    """Yield a block's readings as blocks of one kind and at most `rows` readings each."""
    for column in block.columns:
        for begin in range(0, len(column), rows):
            part = _slice(column, slice(begin, begin + rows))
            yield _with_own_texts(part, block.texts) if part.kind is Kind.TEXT else ReadingBlock((part,))


def seal_within(blocks: Sequence[ReadingBlock], *, segment: int, table: str) -> Sequence[SealedBatch]:
    """Return the blocks as one batch, or halved until frames are under the bound; one reading goes as it is.

    A block is what one poll read: it is taken apart only where it is too large for a frame by itself.
    """
    block = join(blocks)
    sealed = seal_data(block, segment=segment, table=table)
    if len(sealed.body) <= _BODY_BYTES or len(block) == 1:
        return (sealed,)
    return [batch for half in halves(blocks) for batch in seal_within(half, segment=segment, table=table)]


def halves(blocks: Sequence[ReadingBlock]) -> Iterable[Sequence[ReadingBlock]]:
    """Return two or more readings in parts, each fewer; a block is taken apart only where it is alone."""
    if len(blocks) > 1:
        middle = len(blocks) // 2
        return blocks[:middle], blocks[middle:]
    (block,) = blocks
    return ([part] for part in cut(block, (max(len(column) for column in block.columns) + 1) // 2))


def _slice(column: Column, rows: slice) -> Column:
    return Column(column.kind, column.tag[rows], column.time_us[rows], column.value[rows], column.quality[rows])


def _with_own_texts(column: Column, texts: Sequence[str]) -> ReadingBlock:
    used, index = np.unique(column.value, return_inverse=True)
    value = index.astype(np.uint32)
    own = Column(column.kind, column.tag, column.time_us, value, column.quality)
    return ReadingBlock((own,), tuple(texts[at] for at in used))
