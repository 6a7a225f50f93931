"""What messages about a configuration say: what is allowed, what was found, what was probably meant."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import inspect as kinds

from edge_agent.config.scalars import shown
from edge_agent.config.source import Mapping as MappingNode
from edge_agent.config.source import Node, Scalar


def closest(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """Return the known word that was probably meant, or an empty string."""
    lowered = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower()[:64], lowered, n=1, cutoff=0.6)
    return lowered[matches[0]] if matches else ""


def describe(wanted: kinds.Type) -> str:  # noqa: PLR0911 - one line for each type
    """Return what a type allows, in words."""
    match wanted:
        case kinds.Metadata():
            return str((wanted.extra_json_schema or {}).get("description") or describe(wanted.type))
        case kinds.IntType() | kinds.FloatType():
            return number_range(wanted)
        case kinds.EnumType():
            return "one of " + ", ".join(str(member.value) for member in wanted.cls)
        case kinds.StrType():
            return "text" if wanted.max_length is None else f"text of up to {wanted.max_length} characters"
        case kinds.BoolType():
            return "true or false"
        case kinds.UnionType():
            return " or ".join(describe(kind) for kind in wanted.types if not isinstance(kind, kinds.NoneType))
        case kinds.VarTupleType() | kinds.TupleType():
            return "a list"
        case kinds.StructType() | kinds.DictType():
            return "a mapping"
        case _:
            return "a path"


def number_range(wanted: kinds.IntType | kinds.FloatType) -> str:
    """Return `a whole number from 1 to 65535` and the like."""
    name = "a whole number" if isinstance(wanted, kinds.IntType) else "a number"
    bounds = (("from", wanted.ge), ("over", wanted.gt), ("to", wanted.le), ("under", wanted.lt))
    return " ".join([name, *(f"{word} {bound:.15g}" for word, bound in bounds if bound is not None)])


def decides(field: kinds.Field) -> bool:
    """Return whether others cannot be judged without it: it is needed, or a word that says what they mean."""
    kind = field.type.type if isinstance(field.type, kinds.Metadata) else field.type
    return field.required or isinstance(kind, kinds.EnumType)


def blamed(message: str, names: Sequence[str]) -> tuple[list[str], str]:
    """Return the keys that `key[, key]: sentence` names, and the sentence; no keys where it is a mere sentence."""
    before, colon, after = message.partition(": ")
    keys = [key.strip() for key in before.split(",")]
    is_blame = bool(colon) and all(key.partition(".")[0] in names for key in keys)
    return (keys, after) if is_blame else ([], message)


def allowed(wanted: kinds.StrType, notes: Mapping[str, Any]) -> str:
    """Return what a text may be: what its note says of its pattern, else its length."""
    return str(notes.get("description", describe(wanted))) if wanted.pattern else describe(wanted)


def form(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, Scalar):
        return shown(node.text) if node.text else "empty"
    return "a mapping" if isinstance(node, MappingNode) else "a list"


def join(path: str, key: str) -> str:
    """Return the path of a key below a path."""
    return f"{path}.{key}" if path and key else path or key
