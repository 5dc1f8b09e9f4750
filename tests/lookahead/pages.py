"""Which part of a list is a page? Worked out on the whole list, in the words of the schema."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Thing = dict[str, Any]


@dataclass
class Page:
    """A list in its order, how its items are placed in it, and the part that is asked for.

    Without `first` and `last` it is 20 items: before `before` where that is given, else from the start; of a list
    of the newest, from its end when nothing at all is given.
    """

    item: str
    things: list[Thing]
    place: Callable[[Thing], list[Any]]
    descending: bool = False
    newest: bool = False
    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


def listed(page: Page) -> Thing:
    """The connection as a dict of its fields."""
    places = [page.place(thing) for thing in page.things]
    chosen = [index for index, place in enumerate(places) if _within(page, place)]
    is_bare = page.first is None and page.after is None and page.last is None and page.before is None
    from_end = page.last is not None or (page.before is not None and page.first is None)
    from_end = from_end or (page.newest and is_bare)
    chosen = chosen[-(page.last or 20) :] if from_end else chosen[: page.first or 20]
    cursors = [_cursor(places[index]) for index in chosen]
    nodes = [page.things[index] for index in chosen]
    return {
        "__typename": f"{page.item}Connection",
        "edges": [
            {"__typename": f"{page.item}Edge", "cursor": cursor, "node": node}
            for cursor, node in zip(cursors, nodes, strict=True)
        ],
        "nodes": nodes,
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": _any_after(page, places, chosen),
            "hasPreviousPage": _any_before(page, places, chosen),
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
        "totalCount": len(places),
    }


def _within(page: Page, place: list[Any]) -> bool:
    behind = page.after is None or _follows(page, place, page.after)
    return behind and (page.before is None or _precedes(page, place, page.before))


def _any_after(page: Page, places: list[Any], chosen: list[int]) -> bool:
    """Whether the list has more after the page; after where it would be, when it is empty."""
    if chosen:
        return chosen[-1] + 1 < len(places)
    return page.before is not None and any(not _precedes(page, place, page.before) for place in places)


def _any_before(page: Page, places: list[Any], chosen: list[int]) -> bool:
    if chosen:
        return chosen[0] > 0
    return page.after is not None and any(not _follows(page, place, page.after) for place in places)


def _follows(page: Page, place: list[Any], cursor: str) -> bool:
    there: list[Any] = json.loads(cursor)
    return place < there if page.descending else place > there


def _precedes(page: Page, place: list[Any], cursor: str) -> bool:
    there: list[Any] = json.loads(cursor)
    return place > there if page.descending else place < there


def _cursor(place: list[Any]) -> str:
    return json.dumps(place, ensure_ascii=False, separators=(",", ":"))
