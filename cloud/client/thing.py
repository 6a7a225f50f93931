"""Thing: one JSON object of an answer, whose fields are attributes."""

from collections.abc import Iterator, Mapping
from typing import Any


class Thing(Mapping[str, Any]):
    """A JSON object: `thing.id` and `thing["id"]` are the same; objects inside are Things as well.

    Fields that are also methods of a mapping, such as `items`, are reached by `thing["items"]`.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server sent
        try:
            return wrapped(self._fields[name])
        except KeyError as error:
            raise AttributeError(f"the answer has no field {name!r}; it has {', '.join(self._fields)}") from error

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server sent
        return wrapped(self._fields[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Thing({self._fields!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the plain JSON object."""
        return dict(self._fields)


def wrapped(value: object) -> Any:  # noqa: ANN401 - whatever the server sent
    """Return JSON with Things for objects."""
    if isinstance(value, dict):
        return Thing(value)
    if isinstance(value, list):
        return [wrapped(one) for one in value]
    return value
