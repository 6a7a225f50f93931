"""A YAML tree and a msgspec type -> a value; every disagreement is a Finding with its place, none stops the walk.

After a Finding the walk goes on with a best guess (the closest word, the number as it stands), so that one mistake
does not hide another. Structs say what contradicts what in `__post_init__`, as a ValueError `key[, key]: sentence`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import inspect as kinds

from edge_agent.config.scalars import Misread, flag_of, integer_of, number_of, shown, text_of
from edge_agent.config.source import Entry, Items, Node, Place, Scalar
from edge_agent.config.source import Mapping as MappingNode
from edge_agent.config.wording import allowed, blamed, closest, decides, describe, form, join
from edge_agent.errors import Finding

MISSING = object()
"""What the walk returns where not even a guess can be made."""
MAX_FINDINGS = 200
Resolve = Callable[[str], str]
"""Turns `env:NAME` or `file:PATH` into the secret; raises Misread."""


class Walk:
    """One pass over a file. folder: what paths are relative to; homes: where keys that exist elsewhere belong."""

    def __init__(self, file: str, folder: Path, resolve: Resolve, homes: Mapping[str, str]) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._folder = folder
        self._resolve = resolve
        self._homes = homes

    def value(  # noqa: PLR0911 - one line for each form
        self, node: Node, wanted: kinds.Type, path: str, extra: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - of the wanted type
        """Return the node as the wanted type, or MISSING."""
        match wanted:
            case kinds.Metadata():
                notes = {**(wanted.extra or {}), **(wanted.extra_json_schema or {})}
                return self.value(node, wanted.type, path, notes)
            case kinds.UnionType():
                return self._union(node, wanted, path, extra)
            case kinds.StructType():
                return self._struct(node, wanted, path)
            case kinds.VarTupleType():
                return self._items(node, wanted, path, (extra or {}).get("unique", ""))
            case kinds.TupleType():
                return self._tuple(node, wanted, path)
            case kinds.DictType():
                return self._dict(node, wanted, path)
            case _:
                return self._scalar(node, wanted, path, extra or {})

    def report(self, place: Place, path: str, message: str, suggestion: str = "") -> None:
        """Keep one finding; equal ones (an alias used twice) are kept once."""
        finding = Finding(self._file, place.line, place.column, path, message, suggestion)
        if finding not in self.findings and len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)

    def _scalar(self, node: Node, wanted: kinds.Type, path: str, notes: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if not isinstance(node, Scalar):
            self.report(node.place, path, f"must be {describe(wanted)}, not {form(node)}")
            return MISSING
        try:
            return self._read(node, wanted, path, notes)
        except Misread as error:
            is_text = isinstance(wanted, kinds.StrType)
            described = allowed(wanted, notes) if isinstance(wanted, kinds.StrType) else describe(wanted)
            self.report(node.place, path, f"{error}; allowed: {described}", error.suggestion)
            return node.text if is_text else MISSING

    def _read(self, node: Scalar, wanted: kinds.Type, path: str, notes: Mapping[str, Any]) -> Any:  # noqa: ANN401
        match wanted:
            case kinds.BoolType():
                return flag_of(node)
            case kinds.IntType():
                return self._bounded(node, integer_of(node), wanted, path)
            case kinds.FloatType():
                return self._bounded(node, number_of(node), wanted, path)
            case kinds.EnumType():
                return self._enum(node, wanted, path)
            case kinds.StrType():
                return self._text(node, wanted, path, notes)
            case kinds.CustomType() if wanted.cls is Path:
                return self._path(node, path, notes)
        raise TypeError(f"{path}: settings of type {wanted} are not supported")

    def _bounded(self, node: Scalar, number: float, wanted: kinds.IntType | kinds.FloatType, path: str) -> float:
        is_low = (wanted.ge is not None and number < wanted.ge) or (wanted.gt is not None and number <= wanted.gt)
        is_high = (wanted.le is not None and number > wanted.le) or (wanted.lt is not None and number >= wanted.lt)
        if is_low or is_high:
            side = "small" if is_low else "large"
            self.report(node.place, path, f"{node.text} is too {side}; allowed: {describe(wanted)}")
        return number

    def _enum(self, node: Scalar, wanted: kinds.EnumType, path: str) -> Any:  # noqa: ANN401 - a member
        with suppress(ValueError):
            return wanted.cls(node.text)
        values = {str(member.value): member for member in wanted.cls}
        guess = closest(node.text, values)
        message = f"{shown(node.text)} is not one of {', '.join(values)}"
        self.report(node.place, path, message, f"did you mean {guess}?" if guess else "")
        return values[guess] if guess else MISSING

    def _text(self, node: Scalar, wanted: kinds.StrType, path: str, notes: Mapping[str, Any]) -> str:
        if notes.get("secret"):
            return self._secret(node.text, wanted)
        text = text_of(node)
        is_long = wanted.max_length is not None and len(text) > wanted.max_length
        is_short = wanted.min_length is not None and len(text) < wanted.min_length
        if is_long or is_short or (wanted.pattern is not None and not re.search(wanted.pattern, text)):
            self.report(node.place, path, f"{shown(text)} is not allowed; allowed: {allowed(wanted, notes)}")
        return text

    def _secret(self, text: str, wanted: kinds.StrType) -> str:
        if not re.search(wanted.pattern or "", text):
            raise Misread("a secret must not be in the file", "put it into the environment or a file of its own")
        return self._resolve(text)

    def _path(self, node: Scalar, path: str, notes: Mapping[str, Any]) -> Path:
        there = self._folder / text_of(node)
        if not notes.get("made") and not there.is_file():
            what = "is no file" if there.exists() else "does not exist"
            self.report(node.place, path, f"{there} {what}")
        return there

    def _union(self, node: Node, wanted: kinds.UnionType, path: str, notes: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
        structs = {str(kind.tag): kind for kind in wanted.types if isinstance(kind, kinds.StructType) and kind.tag}
        if len(structs) > 1:
            return self._tagged(node, structs, path)
        if isinstance(node, Scalar) and node.implied == "null" and node.text and not node.is_quoted:
            return None
        return self.value(node, _meant_by(node, wanted), path, notes)

    def _tagged(self, node: Node, structs: Mapping[str, kinds.StructType], path: str) -> Any:  # noqa: ANN401 - a Struct
        field = str(next(iter(structs.values())).tag_field)
        if not isinstance(node, MappingNode):
            self.report(node.place, path, f"must be a mapping with {field}, not {form(node)}")
            return MISSING
        given = next((entry for entry in node.entries if entry.key == field), None)
        if given is None:
            self.report(node.place, f"{path}.{field}", "is missing", f"one of {', '.join(structs)}")
            return MISSING
        if not isinstance(given.value, Scalar):
            message = f"must be one of {', '.join(structs)}, not {form(given.value)}"
            self.report(given.value.place, f"{path}.{field}", message)
            return MISSING
        written = given.value.text
        tag = written if written in structs else closest(written, structs)
        if written not in structs:
            advice = f"did you mean {tag}?" if tag else ""
            message = f"{shown(written)} is not one of {', '.join(structs)}"
            self.report(given.value.place, f"{path}.{field}", message, advice)
        return self._struct(node, structs[tag], path) if tag else MISSING

    def _items(self, node: Node, wanted: kinds.VarTupleType, path: str, unique: str) -> Any:  # noqa: ANN401 - a tuple
        if not isinstance(node, Items):
            self.report(node.place, path, f"must be a list, not {form(node)}", "begin each item with `- `")
            return MISSING
        if len(node.items) < (wanted.min_length or 0):
            self.report(node.place, path, f"has {len(node.items)} items; allowed: {wanted.min_length} or more")
        if wanted.max_length is not None and len(node.items) > wanted.max_length:
            self.report(node.place, path, f"has {len(node.items)} items; allowed: up to {wanted.max_length}")
            return MISSING
        if unique:
            self._refuse_twins(node, unique, path)
        values = [self.value(item, wanted.item_type, f"{path}[{i}]") for i, item in enumerate(node.items)]
        return tuple(value for value in values if value is not MISSING)

    def _refuse_twins(self, node: Items, unique: str, path: str) -> None:
        first: dict[str, int] = {}
        for i, item in enumerate(node.items):
            entries = item.entries if isinstance(item, MappingNode) else ()
            for named in (e.value for e in entries if e.key == unique and isinstance(e.value, Scalar)):
                line = first.setdefault(named.text, named.place.line)
                if line != named.place.line:
                    message = f"{shown(named.text)} is taken; line {line} has it already"
                    self.report(named.place, f"{path}[{i}].{unique}", message)

    def _tuple(self, node: Node, wanted: kinds.TupleType, path: str) -> Any:  # noqa: ANN401 - a tuple
        if not isinstance(node, Items) or len(node.items) != len(wanted.item_types):
            described = ", ".join(map(describe, wanted.item_types))
            self.report(node.place, path, f"must be a list of {len(wanted.item_types)}: [{described}]")
            return MISSING
        pairs = zip(node.items, wanted.item_types, strict=True)
        values = [self.value(item, kind, f"{path}[{i}]") for i, (item, kind) in enumerate(pairs)]
        return MISSING if MISSING in values else tuple(values)

    def _dict(self, node: Node, wanted: kinds.DictType, path: str) -> Any:  # noqa: ANN401 - a dict
        if not isinstance(node, MappingNode):
            self.report(node.place, path, f"must be a mapping, not {form(node)}")
            return MISSING
        values = {e.key: self.value(e.value, wanted.value_type, f"{path}.{e.key}") for e in node.entries}
        return {key: value for key, value in values.items() if value is not MISSING}

    def _struct(self, node: Node, wanted: kinds.StructType, path: str) -> Any:  # noqa: ANN401 - a Struct
        if not isinstance(node, MappingNode):
            self.report(node.place, path, f"must be a mapping, not {form(node)}", "write `key: value` lines")
            return MISSING
        entries = {entry.key: entry for entry in node.entries}
        fields = {field.encode_name: field for field in wanted.fields}
        for entry in node.entries:
            if entry.key not in fields and entry.key != wanted.tag_field:
                meant = self._unknown(entry, [*fields, wanted.tag_field or ""], path)
                entries.setdefault(meant, entry)
        read = {
            key: self.value(entries[key].value, field.type, join(path, key))
            for key, field in fields.items()
            if key in entries
        }
        absent = [field for key, field in fields.items() if field.required and key not in entries]
        for field in absent:
            self.report(node.place, join(path, field.encode_name), "is missing", describe(field.type))
        if absent or any(read[key] is MISSING for key in read if decides(fields[key])):
            return MISSING
        return self._build(wanted, read, entries, node.place, path)

    def _unknown(self, entry: Entry, known: Sequence[str], path: str) -> str:
        guess = closest(entry.key, known)
        home = self._homes.get(entry.key)
        if guess:
            message, advice = "is not a setting", f"did you mean {guess}?"
        elif home:
            message, advice = "is not a setting here", f"it belongs to {home}"
        else:
            message, advice = f"is not a setting; known are {', '.join(filter(None, known))}", ""
        self.report(entry.place, join(path, entry.key), message, advice)
        return guess

    def _build(
        self, wanted: kinds.StructType, read: dict[str, Any], entries: Mapping[str, Entry], place: Place, path: str
    ) -> Any:  # noqa: ANN401 - a Struct
        """Build the Struct; blame keys for each contradiction once, leave them out, and try again."""
        given = {key: value for key, value in read.items() if value is not MISSING}
        doubtful = read.keys() - given.keys()
        while True:
            try:
                return wanted.cls(**given)
            except ValueError as error:
                named, message = blamed(str(error), [field.encode_name for field in wanted.fields])
            heads = [name.partition(".")[0] for name in named]
            if not doubtful.intersection(heads):
                self.report(*_located(named, entries, place, path), message)
            required = {field.encode_name for field in wanted.fields if field.required}
            left = {key: value for key, value in given.items() if key not in heads or key in required}
            if len(left) == len(given):
                return MISSING
            doubtful, given = doubtful | set(heads), left


def _meant_by(node: Node, wanted: kinds.UnionType) -> kinds.Type:
    """Return the type that a node of this form can only mean: of a mapping or a flag, a single value is the flag."""
    values = [kind for kind in wanted.types if not isinstance(kind, kinds.NoneType)]
    flags = [kind for kind in values if isinstance(kind, kinds.BoolType)]
    return flags[0] if flags and isinstance(node, Scalar) else next(kind for kind in values if kind not in flags)


def _located(named: Sequence[str], entries: Mapping[str, Entry], place: Place, path: str) -> tuple[Place, str]:
    """Return where the first of these keys is that the file has, `uplink.topic` being one inside another."""
    for name in named:
        outer, _, inner = name.partition(".")
        if outer in entries and inner:
            below = entries[outer].value
            within = {entry.key: entry for entry in below.entries} if isinstance(below, MappingNode) else {}
            return _located([inner], within, entries[outer].place, join(path, outer))
        if outer in entries:
            return entries[outer].place, join(path, outer)
    return place, join(path, named[0] if named else "")
