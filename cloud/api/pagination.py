"""Lists: how many there are in all, and where the next ones are."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query, Request, Response

Limit = Annotated[int, Query(ge=1, le=10_000, description="The most items to return.")]
Offset = Annotated[int, Query(ge=0, le=1 << 31, description="How many items to skip.")]
Item = TypeVar("Item")


def paged(items: Sequence[Item], request: Request, response: Response, *, limit: int, offset: int) -> Sequence[Item]:
    """Return one page; X-Total-Count says how many there are, Link where the next page is."""
    tell_pages(len(items), request, response, limit=limit, offset=offset)
    return items[offset : offset + limit]


def tell_pages(total: int, request: Request, response: Response, *, limit: int, offset: int) -> None:
    """Say in the headers how many items there are and where the next page is."""
    response.headers["X-Total-Count"] = str(total)
    following = offset + limit
    if following < total:
        url = request.url.include_query_params(limit=limit, offset=following)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
