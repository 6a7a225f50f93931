"""YAML text -> a tree that knows the place of every key and value; bounded, whatever the text says."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from msgspec import Struct

from edge_agent.errors import Finding, InvalidConfig

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_NODES = 1_000_000
"""How many keys and values a file may come to with its aliases written out."""
MAX_DEPTH = 32
MERGE_TAG = "tag:yaml.org,2002:merge"
ADVICE = {
    "found character '\\t'": "indent with spaces, YAML allows no tabs",
    "found character '%'": 'put the text in quotes, such as "%"',
    "found character '@'": 'put the text in quotes, such as "@"',
    "mapping values are not allowed": "put a text that holds `: ` in quotes, or check the indentation",
    "could not find expected ':'": "write `key: value`",
    "found undefined alias": "define it before with &name",
}


class Place(Struct, frozen=True):
    """Where something begins; both count from 1."""

    line: int
    column: int


class Scalar(Struct, frozen=True):
    """A single value as written; implied: what YAML 1.1 takes it for (`str int float bool null timestamp ...`)."""

    place: Place
    text: str
    implied: str
    is_quoted: bool


class Entry(Struct, frozen=True):
    """One `key: value`; is_merged: it came in by `<<` and may be overridden."""

    key: str
    place: Place
    value: "Node"
    is_merged: bool = False


class Mapping(Struct, frozen=True):
    """Keys and values in the order of the file."""

    place: Place
    entries: tuple[Entry, ...]


class Items(Struct, frozen=True):
    """A list of values."""

    place: Place
    items: tuple["Node", ...]


Node = Scalar | Mapping | Items


class Source(Struct, frozen=True):
    """A file as a tree (None: it is empty), and what was wrong on the way to it."""

    file: str
    root: Node | None
    findings: tuple[Finding, ...]


def read(path: Path) -> Source:
    """Return the file as a tree; raise InvalidConfig where it cannot be read, is no YAML, or unfolds beyond bounds."""
    file = str(path)
    text = _text(path)
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        composed = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        raise InvalidConfig([_syntax(file, text, error)]) from error
    except yaml.YAMLError as error:
        raise InvalidConfig([Finding(file, 1, 1, "", f"not YAML: {str(error).splitlines()[0]}")]) from error
    except RecursionError as error:
        raise InvalidConfig([Finding(file, 1, 1, "", "nested too deep to be read")]) from error
    reader = _Reader(file)
    root = None if composed is None else reader.node(composed, "", 0)
    return Source(file, root, tuple(reader.findings))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        advice = "name the file, not its folder" if path.is_dir() else ""
        raise InvalidConfig([_at(str(path), 1, f"cannot be read: {error.strerror}", advice)]) from error
    if len(raw) > MAX_FILE_BYTES:
        raise InvalidConfig([_at(str(path), 1, f"is over {MAX_FILE_BYTES // 2**20} MiB")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise InvalidConfig([Finding(str(path), line, column, "", message, "save the file as UTF-8")]) from error


def _at(file: str, line: int, message: str, suggestion: str = "") -> Finding:
    return Finding(file, line, 1, "", message, suggestion)


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = " ".join(filter(None, (error.problem, error.context)))
    advice = next((advice for start, advice in ADVICE.items() if start in problem), "")
    there = "".join(text.split("\n")[line - 1 : line])[column - 1 : column]
    if "cannot start any token" in problem and there:
        advice = (
            "indent with spaces, YAML allows no tabs"
            if there == "\t"
            else f"put text that begins with {there} in quotes"
        )
    return Finding(file, line, column, "", f"not YAML: {problem}", advice)


class _Reader:
    """Turns PyYAML's graph into a tree; a node that aliases repeat is turned once and counted each time."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self._left = MAX_NODES
        self._done: dict[int, tuple[Node, int]] = {}

    def node(self, given: yaml.Node, path: str, depth: int) -> Node:
        """Return the tree below a composed node; raise InvalidConfig beyond the bounds."""
        done = self._done.get(id(given))
        if done is None:
            before = self._left
            tree = self._turn(given, path, depth)
            self._done[id(given)] = (tree, before - self._left)
            return tree
        self._count(done[1], given, path, depth)
        return done[0]

    def _count(self, size: int, given: yaml.Node, path: str, depth: int) -> None:
        self._left -= size
        if self._left < 0 or depth > MAX_DEPTH:
            what = f"more than {MAX_NODES} values" if self._left < 0 else f"more than {MAX_DEPTH} levels"
            message = f"comes to {what} with its aliases written out"
            raise InvalidConfig([self._finding(_place(given), path.partition("[")[0], message)])

    def _turn(self, given: yaml.Node, path: str, depth: int) -> Node:
        self._count(1, given, path, depth)
        place = _place(given)
        if isinstance(given, yaml.MappingNode):
            return Mapping(place, tuple(self._entries(given, path, depth)))
        if isinstance(given, yaml.SequenceNode):
            return Items(place, tuple(self.node(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(given.value)))
        if not given.tag.startswith("tag:yaml.org,2002:"):
            self.findings.append(self._finding(place, path, f"the YAML tag {given.tag} is not understood", "remove it"))
        is_quoted = bool(getattr(given, "style", ""))
        return Scalar(place, str(given.value), given.tag.rpartition(":")[2], is_quoted)

    def _entries(self, given: yaml.MappingNode, path: str, depth: int) -> Iterator[Entry]:
        entries: dict[str, Entry] = {}
        for key, value in given.value:
            if key.tag == MERGE_TAG:
                for entry in self._merged(value, path, depth):
                    entries.setdefault(entry.key, entry)
                continue
            name = self._key(key, path)
            before = entries.get(name)
            if before is not None and not before.is_merged:
                message = f"is given twice; the first is in line {before.place.line}"
                self.findings.append(self._finding(_place(key), _join(path, name), message, "remove one"))
                continue
            entries[name] = Entry(name, _place(key), self.node(value, _join(path, name), depth + 1))
        return iter(entries.values())

    def _merged(self, value: yaml.Node, path: str, depth: int) -> Iterator[Entry]:
        parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for part in parts:
            tree = self.node(part, path, depth + 1)
            if not isinstance(tree, Mapping):
                self.findings.append(self._finding(_place(part), path, "<< merges mappings only"))
                continue
            for entry in tree.entries:
                yield Entry(entry.key, entry.place, entry.value, is_merged=True)

    def _key(self, key: yaml.Node, path: str) -> str:
        if isinstance(key, yaml.ScalarNode):
            return str(key.value)
        self.findings.append(self._finding(_place(key), path, "a key must be a word"))
        return "?"

    def _finding(self, place: Place, path: str, message: str, suggestion: str = "") -> Finding:
        return Finding(self.file, place.line, place.column, path, message, suggestion)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
