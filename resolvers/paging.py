"""How is a long list read page by page? Connections over keyset cursors.

The parts of a connection (the page, its ends, what lies before and after, the total) are independent scalar
SELECTs over the same source, rendered only where they are asked for. A cursor is the JSON list of a row's
keys, so a page stays where it is while others write.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Integer, Select, String, Subquery, false, func, literal_column, or_, select, tuple_
from sqlalchemy.types import TypeEngine

from models.authorization.rule import Rule
from models.errors import BadRequest, LimitExceeded
from models.tables.base import Key, Moment
from models.text import contains
from resolvers.asked import Field
from resolvers.dialects import json_array, json_text, json_value, json_whether
from resolvers.projection import Entry, Rendered, Source, an_object, fields_object, list_of, type_name
from resolvers.statement import Arguments, Expression, Row, Statement

PAGE = 20
LARGEST_PAGE = 100
LONGEST_SEARCH = 200
"""As long as the longest name; engines refuse patterns beyond some length."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)

_BOUND: dict[type, TypeEngine[Any]] = {int: Key, datetime: Moment(), str: String()}

PAGING = frozenset({"first", "after", "last", "before"})
"""The arguments that every connection may take; one that grows at its end alone takes the first two."""


@dataclass(frozen=True)
class Page(Entry):
    """A relation that grows: a connection over a scope, ordered by keys that name a row.

    `keys` are columns of the source, the last one unique, all in one direction. `newest`: without arguments it
    is the end of the list that is read.
    """

    item: str
    source: Source
    keys: tuple[str, ...]
    seen_by: Rule = field(kw_only=True)
    descending: bool = field(default=False, kw_only=True)
    newest: bool = field(default=False, kw_only=True)
    called: str = field(default="", kw_only=True)
    """What the connection and its edges are called by, where that is not the item's name."""

    @property
    def target(self) -> str:
        return f"{self.called or self.item}Connection"

    def render(self, field: Field, row: Row) -> Rendered:
        arguments = Arguments(row.statement, field.arguments)
        window = Window(row.statement, self.source(row, arguments), self, arguments)
        parts: dict[str, Callable[[Field], Rendered]] = {
            "nodes": self._nodes(window),
            "edges": self._edges(window),
            "pageInfo": lambda asked: _page_info(asked, window),
            "totalCount": lambda _: Rendered(window.total()),
            "__typename": lambda _: type_name(self.target),
        }
        return fields_object({it.key: parts[it.name](it) for it in field.selection.of(self.target)})

    def _nodes(self, window: "Window") -> Callable[[Field], Rendered]:
        return lambda asked: list_of(window.page(), lambda row: an_object(self.item, asked.selection, row))

    def _edges(self, window: "Window") -> Callable[[Field], Rendered]:
        edge = f"{self.called or self.item}Edge"

        def render(asked: Field, row: Row) -> Rendered:
            if asked.name == "cursor":
                return Rendered(cursor_of(row, self.keys))
            return an_object(self.item, asked.selection, row) if asked.name == "node" else type_name(edge)

        def one_edge(asked: Field, row: Row) -> Rendered:
            return fields_object({it.key: render(it, row) for it in asked.selection.of(edge)})

        return lambda asked: list_of(window.page(), lambda row: one_edge(asked, row))


class Window:
    """The part of a source that the paging arguments choose."""

    def __init__(self, statement: Statement, source: Select[Any], page: Page, arguments: Arguments) -> None:
        if "first" in arguments and "last" in arguments:
            raise BadRequest("Give either first or last, not both.")
        self._statement = statement
        self._source = source
        self._names = page.keys
        self._keys = [source.selected_columns[name] for name in page.keys]
        self._descending = page.descending
        is_bare = page.newest and not any(name in arguments for name in PAGING)
        self._backwards = is_bare or "last" in arguments or ("before" in arguments and "first" not in arguments)
        self._arguments = arguments
        self._chosen = source
        for name in ("after", "before"):
            if name in arguments:
                self._chosen = self._chosen.where(self._beyond(name))

    def page(self) -> Row:
        """The rows of the page, in the list's order."""
        if self._backwards:
            return _LastRows(self._statement, self._chosen, self._keys, self._descending, self._size())
        return Row(self._statement, self._in_order(self._chosen).limit(self._size()))

    def total(self) -> Expression:
        return select(func.count()).select_from(_bare(self._source)).scalar_subquery()

    def end(self, *, last: bool) -> Expression:
        """The cursor of the page's first or last row; null on an empty page."""
        row = self.page()
        cursor = cursor_of(row, self._names)
        keys = [getattr(row, name) for name in self._names]
        order = [key.desc() if last is not self._descending else key.asc() for key in keys]
        return select(cursor).select_from(row.read()).order_by(*order).limit(1).scalar_subquery()

    def has_more(self, *, forwards: bool) -> Expression:
        """Whether rows lie beyond the page on this side, as JSON: cut off by its size, or by the other cursor."""
        edge = "before" if forwards else "after"
        outside = _bare(self._source.where(~self._beyond(edge)).limit(1)) if edge in self._arguments else None
        if forwards is self._backwards:
            return json_value(false()) if outside is None else json_whether(func.count() > 0, outside)
        more = func.count() > self._size()
        if outside is not None:
            more = or_(more, select(func.count() > 0).select_from(outside).scalar_subquery())
        return json_whether(more, _bare(self._chosen.limit(self._size(more=1))))

    def _beyond(self, name: str) -> Expression:
        """Strictly after the cursor `after`, or before the cursor `before`, in the list's order."""
        types = [_type(key) for key in self._keys]
        values = [
            self._arguments.bind(name, partial(_key, place, types), type_=_BOUND[kind])
            for place, kind in enumerate(types)
        ]
        here, there = tuple_(*self._keys), tuple_(*values)
        return here > there if (name == "after") is not self._descending else here < there

    def _in_order(self, source: Select[Any]) -> Select[Any]:
        return source.order_by(*(key.desc() if self._descending else key.asc() for key in self._keys))

    def _size(self, *, more: int = 0) -> Expression:
        return size(self._arguments, "last" if "last" in self._arguments else "first", more=more)


class _LastRows(Row):
    """The last rows of a source: taken from its end, given in its order."""

    def __init__(
        self,
        statement: Statement,
        source: Select[Any],
        keys: list[Expression],
        descending: bool,
        size: Expression,
    ) -> None:
        super().__init__(statement, source)
        self._keys, self._descending, self._size = keys, descending, size

    def read(self) -> Subquery:
        keys = [key.label(f"key_{place}") for place, key in enumerate(self._keys)]
        from_the_end = [key.asc() if self._descending else key.desc() for key in self._keys]
        taken = self.columns().add_columns(*keys).order_by(*from_the_end).limit(self._size).subquery()
        in_order = [taken.c[key.key].desc() if self._descending else taken.c[key.key].asc() for key in keys]
        wanted = [column for column in taken.c if not column.key.startswith("key_")]
        return select(*wanted).order_by(*in_order).subquery(self.alias)


def cursor_of(row: Row, keys: tuple[str, ...]) -> Expression:
    return json_text(json_array(getattr(row, key) for key in keys))


def _page_info(asked: Field, window: Window) -> Rendered:
    parts: dict[str, Callable[[], Expression]] = {
        "hasNextPage": lambda: window.has_more(forwards=True),
        "hasPreviousPage": lambda: window.has_more(forwards=False),
        "startCursor": lambda: window.end(last=False),
        "endCursor": lambda: window.end(last=True),
        "__typename": lambda: type_name("PageInfo").expression,
    }
    return fields_object({it.key: Rendered(parts[it.name]()) for it in asked.selection.of("PageInfo")})


def _bare(source: Select[Any]) -> Subquery:
    """The source's rows, of which nothing is read."""
    return source.with_only_columns(literal_column("1"), maintain_column_froms=True).subquery()


def size(arguments: Arguments, name: str = "first", *, more: int = 0) -> Expression:
    """How many rows are asked for, and so many more."""
    if name not in arguments:
        return literal_column(str(PAGE + more))
    return arguments.bind(name, partial(_size, more), type_=Integer())


def _size(more: int, size: Any) -> int:
    if not isinstance(size, int) or size < 1:
        raise BadRequest("first and last take a number from 1 to 100.")
    if size > LARGEST_PAGE:
        raise LimitExceeded("first and last take a number from 1 to 100.")
    return size + more


def _key(place: int, types: list[type], cursor: Any) -> Any:
    """One key of a cursor. Raises BadRequest for what is no cursor of this list."""
    try:
        keys = json.loads(cursor)
        if type(keys) is list and len(keys) == len(types) and all(map(_fits, keys, types)):
            return keys[place]
    except (ValueError, TypeError, RecursionError):
        pass
    raise BadRequest("That is no cursor of this list: pass one that the list gave.")


def _type(key: Expression) -> type:
    """What a key is in a cursor: a number, a moment, or a text."""
    if isinstance(key.type, Moment):
        return datetime
    return int if isinstance(key.type, Integer) else str


def _fits(key: Any, kind: type) -> bool:
    if kind is int:
        return type(key) is int and abs(key) < 2**63
    if kind is datetime:
        return type(key) is str and _MOMENT.fullmatch(key) is not None
    return type(key) is str and _is_storable(key)


def _is_storable(text: str) -> bool:
    """Neither NUL nor half a character, which engines refuse. Raises UnicodeEncodeError for the latter."""
    return b"\0" not in text.encode()


def searched(source: Select[Any], column: Expression, arguments: Arguments) -> Select[Any]:
    """The rows whose folded text contains what is searched; all when nothing is."""
    if "search" not in arguments:
        return source
    return source.where(column.like(arguments.bind("search", pattern), escape="\\"))


def searchable(text: str) -> str:
    """What is searched, as it is. Raises LimitExceeded for what is longer than any name."""
    if len(text) > LONGEST_SEARCH:
        raise LimitExceeded(f"search takes at most {LONGEST_SEARCH} characters.")
    return text


def pattern(text: str) -> str:
    """The same, for LIKE with `\\` as its escape."""
    return contains(searchable(text))
