"""Resource: calls of one subject, the same for both clients; what they return depends on who does them."""

from typing import Any, Generic, Protocol, TypeVar

from cloud.client.call import Call

One_co = TypeVar("One_co", covariant=True)
"""An object: a Thing, or an awaitable of one."""
Many_co = TypeVar("Many_co", covariant=True)
"""A list of objects, or an awaitable of one."""
Raw_co = TypeVar("Raw_co", covariant=True)
"""Bytes, or an awaitable of them."""


class Doer(Protocol[One_co, Many_co, Raw_co]):
    """Does calls. Owes: every failure is a ClientError."""

    def thing(self, call: Call) -> One_co:
        """Return the object that a call answers with."""

    def things(self, call: Call) -> Many_co:
        """Return the list that a call answers with."""

    def content(self, call: Call) -> Raw_co:
        """Return the bytes that a call answers with."""

    def ended(self, look: Call, *, timeout_s: float, every_s: float) -> One_co:
        """Return the job that a call shows, when it has ended."""


class Resource(Generic[One_co, Many_co, Raw_co]):
    """Calls of one subject."""

    def __init__(self, doer: Doer[One_co, Many_co, Raw_co]) -> None:
        self._doer = doer

    def _get(self, path: str, **query: Any) -> One_co:  # noqa: ANN401 - values of a query
        return self._doer.thing(Call("GET", path, query=query))

    def _list(self, path: str, **query: Any) -> Many_co:  # noqa: ANN401 - values of a query
        return self._doer.things(Call("GET", path, query=query))

    def _post(self, path: str, body: object = None, *, is_keyed: bool = False) -> One_co:
        return self._doer.thing(Call("POST", path, json=body, is_keyed=is_keyed))

    def _put(self, path: str, body: object) -> One_co:
        return self._doer.thing(Call("PUT", path, json=body))

    def _delete(self, path: str) -> One_co:
        return self._doer.thing(Call("DELETE", path))
