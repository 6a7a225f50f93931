"""Batch <-> bytes: versioned, bounded, crc; see `pack` and `unpack` for the frame, `columns.py` for the body of data.

Signatures fixed for all who build on it:

    seal_data(block: ReadingBlock, *, segment: int, table: str) -> SealedBatch
    seal_tags(table: TagTable, *, segment: int) -> SealedBatch
    seal_drop(drop: Drop, *, segment: int) -> SealedBatch
    seal_event(event: GatewayEvent, *, segment: int) -> SealedBatch
    pack(sealed: SealedBatch, *, gateway: str, key: Key) -> bytes            the frame that goes on the wire
    unpack(frame: bytes) -> Frame               Frame(header: Header, body: bytes, crc: int), frozen dataclass
    open_data(frame: Frame) -> ReadingBlock                                  raises InvalidContent
    open_tags(frame: Frame) -> TagTable; open_drop(frame) -> Drop; open_event(frame) -> GatewayEvent
"""
