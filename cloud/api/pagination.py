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
    """Say in the headers how many items there are, and where the first, previous, next and last page are."""
    response.headers["X-Total-Count"] = str(total)
    links = page_links(total, limit=limit, offset=offset)
    urls = ((name, request.url.include_query_params(limit=limit, offset=start)) for name, start in links.items())
    told = ", ".join(f'<{url.path}?{url.query}>; rel="{name}"' for name, url in urls)
    if told:
        response.headers["Link"] = told


def page_links(total: int, *, limit: int, offset: int) -> dict[str, int]:
    """Return where the pages around this one begin, by their relation; nothing where all fits on one page.

    Pages are counted from the first item; from an offset between two pages the previous one overlaps none.
    """
    if total <= limit and offset == 0:
        return {}
    last = max(0, (total - 1) // limit * limit)
    links = {"first": 0}
    if offset > 0:
        links["prev"] = max(0, min(offset - limit, last))
    if offset + limit < total:
        links["next"] = offset + limit
    return links | {"last": last}
