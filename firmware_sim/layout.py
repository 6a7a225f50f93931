"""Layout: the settings of a machine's tags turned into tags with a type and an address; pure."""

from collections.abc import Iterator, Sequence

from firmware_sim.errors import InvalidPlant
from firmware_sim.plant import MachineSettings, TagSettings
from firmware_sim.sources import EXTRAS, ROW, Source
from firmware_sim.tags import Table, Tag
from protocols.tag import DataType

LAST_ADDRESS = 65_535


def lay_out(machine: MachineSettings, source: Source, *, is_opcua: bool) -> tuple[Tag, ...]:
    """Return the machine's tags; raise InvalidPlant where channels are missing or addresses collide.

    Without tags in the file: the row counter as uint32 at 0, then each channel as float32 (OPC UA: float64). The
    counter is added behind the others where the file has tags but not that one. A tag without an address follows
    the one before it.
    """
    settings = _with_counter(machine, source)
    fallback = DataType.FLOAT64 if is_opcua else DataType.FLOAT32
    tags: list[Tag] = []
    for number, setting in enumerate(settings):
        channel = setting.channel or setting.name
        if channel not in source.channels and channel not in (
            source.counter,
            *(EXTRAS if not machine.recording else ()),
        ):
            allowed = ", ".join((source.counter, *source.channels))
            raise InvalidPlant(f"machine {machine.id}: tags[{number}] has no channel {channel!r}; allowed: {allowed}")
        tags.append(_tag(setting, channel, source, fallback, _next_free(tags, setting.table)))
    if not is_opcua:
        _check(machine.id, tags)
    return tuple(tags)


def _with_counter(machine: MachineSettings, source: Source) -> Sequence[TagSettings]:
    counter = TagSettings(name=source.counter)
    if not machine.tags:
        return [counter, *(TagSettings(name=name) for name in source.channels)]
    if any((tag.channel or tag.name) == source.counter for tag in machine.tags):
        return machine.tags
    return [*machine.tags, counter]


def _tag(setting: TagSettings, channel: str, source: Source, fallback: DataType, free: int) -> Tag:
    kind = setting.type or _type(setting, channel, fallback)
    in_register = kind is DataType.BOOL and not setting.table.is_bits
    known = source.channels.get(channel)
    return Tag(
        name=setting.name,
        channel=channel,
        type=kind,
        unit=setting.unit if setting.unit is not None else (known.unit if known else ""),
        scale=setting.scale,
        offset=setting.offset,
        table=setting.table,
        address=free if setting.address is None else setting.address,
        word_order=setting.word_order,
        byte_order=setting.byte_order,
        bit=(setting.bit or 0) if in_register else None,
        length=setting.length if kind is DataType.TEXT else 1,
    )


def _type(setting: TagSettings, channel: str, fallback: DataType) -> DataType:
    if setting.table.is_bits or setting.bit is not None:
        return DataType.BOOL
    return DataType.UINT32 if channel == ROW else EXTRAS.get(channel, fallback)


def _next_free(tags: Sequence[Tag], table: Table) -> int:
    return max((tag.address + tag.width for tag in tags if tag.table is table), default=0)


def _check(machine: str, tags: Sequence[Tag]) -> None:
    taken: dict[tuple[Table, int, int], str] = {}
    for tag in tags:
        if tag.address + tag.width > LAST_ADDRESS + 1:
            raise InvalidPlant(f"machine {machine}: tag {tag.name} goes beyond address {LAST_ADDRESS}")
        for cell in _cells(tag):
            other = taken.setdefault(cell, tag.name)
            if other != tag.name:
                where = f"{tag.table} {cell[1]}"
                raise InvalidPlant(f"machine {machine}: tags {other} and {tag.name} both lie at {where}")


def _cells(tag: Tag) -> Iterator[tuple[Table, int, int]]:
    for address in range(tag.address, tag.address + tag.width):
        for bit in range(16) if tag.bit is None else (tag.bit,):
            yield tag.table, address, bit
