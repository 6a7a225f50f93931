"""Resource: a router that is asked only for paths with one of its own words; a hundred of them would take a while."""

from collections.abc import Iterable, Mapping, Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

_WORDS = "lineside.words"
_DEEPEST = 3
"""A resource is mounted at most two words deep: /api/v1/devices."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_ANY = "*"
ANY_PATH = {_WORDS: frozenset({_ANY})}
"""In a scope: no resource may say at once that the path is not its own."""


class Resource(APIRouter):
    """The routes of one resource; each of its paths begins with a word of its own, wherever it is mounted."""

    _own: frozenset[str] = frozenset()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return what FastAPI's router finds, and NONE at once for the paths of others."""
        asked = scope.get(_WORDS)
        if asked is None:
            asked = scope[_WORDS] = frozenset(scope["path"].split("/")[1 : _DEEPEST + 1])
        own = self._own or self._learn()
        return (Match.NONE, {}) if own.isdisjoint(asked) else super().matches(scope)

    def _learn(self) -> frozenset[str]:
        # Routes come by decorators, all before the first request.
        self._own = frozenset({_ANY, *(_first_word(route) for route in self.routes)})
        return self._own


def methods_of(routes: Iterable[BaseRoute], path: str) -> Sequence[str]:
    """Return what may be done at a path: the routes that share it have a method each, and each knows its own alone."""
    asked = {"type": "http", "path": path, "root_path": "", "headers": []}
    found = {one for one in _METHODS for route in routes if route.matches({**asked, "method": one})[0] is Match.FULL}
    return [one for one in _METHODS if one in found]


def fixed_methods(routers: Iterable[APIRouter], prefixes: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return what may be done at the paths that have no id in them, such as /alerts/bulk, but look as if they had."""
    fixed: dict[str, list[str]] = {}
    routes = [one for router in routers for one in router.routes if isinstance(one, APIRoute) and "{" not in one.path]
    for route in routes:
        for prefix in prefixes:
            fixed.setdefault(f"{prefix}{route.path}", []).extend(sorted(route.methods or ()))
    return fixed


def _first_word(route: BaseRoute) -> str:
    path = getattr(route, "path", "")
    word = path.removeprefix("/").partition("/")[0]
    if "{" in word:
        raise ValueError(f"the path {path!r} begins with no word of its own")
    return str(word)
