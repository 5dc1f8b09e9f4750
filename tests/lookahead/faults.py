"""What could the look-ahead get wrong? Faults to plant, each of which the random documents must find."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import and_, func, select

import resolvers.addresses
import resolvers.chats
import resolvers.conversations
import resolvers.messages
import resolvers.paging
import resolvers.projection
import resolvers.viewer
import schema.selection
from models.addresses import addressed_openly
from models.chat_scopes import any_calls, any_chats
from models.messages import any_messages
from models.tables.chats import chats, participations
from models.tables.conversations import Role, deliveries
from models.tables.people import users
from resolvers.dialects import json_object
from resolvers.projection import PROJECTIONS, Column
from resolvers.statement import VIEWER
from resolvers.urls import address

Planted = Callable[[pytest.MonkeyPatch], None]


def _in_wrong_order(patch: pytest.MonkeyPatch) -> None:
    """Lists that descend begin at the wrong end."""
    patch.setattr(resolvers.paging.Window, "_in_order", lambda window, source: source.order_by(*window._keys))


def _without_visibility(patch: pytest.MonkeyPatch) -> None:
    """Participants see the finished and deleted calls of a chat."""
    patch.setattr(resolvers.chats, "visible_calls", any_calls)


def _chats_of_others(patch: pytest.MonkeyPatch) -> None:
    """Whoever knows an id sees the chat."""
    patch.setitem(
        resolvers.viewer.NODES,
        "Chat",
        lambda row: any_chats(VIEWER).where(chats.c.id == row.id),
    )


def _booleans_as_numbers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolvers.projection, "json_value", lambda value: value)


def _aliases_lost(patch: pytest.MonkeyPatch) -> None:
    field = schema.selection._Walk.field

    def named(walk: Any, parent: Any, nodes: Any) -> Any:
        found = field(walk, parent, nodes)
        return replace(found, key=found.name)

    patch.setattr(schema.selection._Walk, "field", named)


def _one_too_many(patch: pytest.MonkeyPatch) -> None:
    """A page has one item more than was asked for."""
    size = resolvers.paging._size
    patch.setattr(resolvers.paging, "_size", lambda more, given: size(more, given) + 1)


def _cursor_included(patch: pytest.MonkeyPatch) -> None:
    """A page begins with the item that its cursor names."""
    key = resolvers.paging._key

    def before_it(place: int, types: list[type], cursor: Any) -> Any:
        found = key(place, types, cursor)
        return found - 1 if place == len(types) - 1 else found

    patch.setattr(resolvers.paging, "_key", before_it)


def _fragments_on_interfaces_lost(patch: pytest.MonkeyPatch) -> None:
    def applies(_: Any, fragment: Any, parent: Any) -> bool:
        return fragment.type_condition is None or fragment.type_condition.name.value == parent.name

    patch.setattr(schema.selection._Walk, "_applies", applies)


def _second_spread_merges_nothing(patch: pytest.MonkeyPatch) -> None:
    """Of a field that is selected twice, only the first selection is read."""
    selection = schema.selection._Walk._selection
    patch.setattr(
        schema.selection._Walk, "_selection", lambda walk, type_, nodes: selection(walk, type_, nodes[:1])
    )


def _skip_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(schema.selection._Walk, "_is_included", lambda *_: True)


def _condition_of_the_first_request(patch: pytest.MonkeyPatch) -> None:
    """Documents that differ in a boolean variable share a walk."""
    asked = schema.selection.shape_of
    known: dict[int, Any] = {}
    patch.setattr(
        schema.selection,
        "shape_of",
        lambda value: known.setdefault(0, value) if isinstance(value, bool) else asked(value),
    )


def _null_is_an_object(patch: pytest.MonkeyPatch) -> None:
    """What the viewer does not see is an empty object and no null."""
    one_row = resolvers.projection.one_row

    def never_null(statement: Any, source: Any, make: Any) -> Any:
        found = one_row(statement, source, make)
        empty = json_object(())
        return found._replace(expression=func.coalesce(found.expression, empty))

    patch.setattr(resolvers.projection, "one_row", never_null)


def _addresses_for_everybody(patch: pytest.MonkeyPatch) -> None:
    """Addresses are given where there should be null."""
    url = Column(lambda row: address(row.url), optional=True)
    patch.setitem(PROJECTIONS["Chat"].entries, "url", url)
    patch.setitem(PROJECTIONS["Call"].entries, "joinUrl", url)


def _total_of_the_page(patch: pytest.MonkeyPatch) -> None:
    """The total counts what lies after the cursor."""
    patch.setattr(
        resolvers.paging.Window,
        "total",
        lambda window: select(func.count()).select_from(resolvers.paging._bare(window._chosen)).scalar_subquery(),
    )


def _wildcards_match(patch: pytest.MonkeyPatch) -> None:
    """`%` and `_` in what is searched match anything."""
    patch.setattr(resolvers.paging, "contains", lambda text: f"%{text.casefold()}%")


def _deleted_messages_are_seen(patch: pytest.MonkeyPatch) -> None:
    """Whoever knows its id sees a message that he has deleted."""
    patch.setattr(resolvers.viewer, "visible_messages", any_messages)
    patch.setattr(resolvers.messages, "visible_messages", any_messages)


def _blind_recipients_are_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolvers.addresses, "addressed_blindly", lambda _, copy: addressed_openly(copy.id, Role.BCC))


def _begins_with_the_oldest(patch: pytest.MonkeyPatch) -> None:
    """Messages without arguments are the first page of them."""
    entries = PROJECTIONS["Conversation"].entries
    found = entries["messages"]
    assert isinstance(found, resolvers.paging.Page)
    patch.setitem(entries, "messages", replace(found, newest=False))


def _who_has_left_sees_who_came(patch: pytest.MonkeyPatch) -> None:
    """The people of a conversation are those of now."""

    def of_now(_: Any, row: Any) -> Any:
        here = select(participations, users.c.search_key).join(users, users.c.id == participations.c.user_id)
        return here.where(participations.c.room_id == row.id, participations.c.left_at.is_(None))

    patch.setattr(resolvers.conversations, "people_in", of_now)


def _trash_is_unread(patch: pytest.MonkeyPatch) -> None:
    """What was deleted unread is counted still."""
    mine = deliveries.c
    patch.setattr(
        resolvers.conversations, "is_unread", lambda: and_(mine.read_at.is_(None), mine.received_as.is_not(None))
    )


FAULTS: dict[str, list[Planted]] = {
    "chats": [
        _in_wrong_order,
        _without_visibility,
        _chats_of_others,
        _booleans_as_numbers,
        _aliases_lost,
        _one_too_many,
        _cursor_included,
        _fragments_on_interfaces_lost,
        _second_spread_merges_nothing,
        _skip_is_ignored,
        _condition_of_the_first_request,
        _null_is_an_object,
        _addresses_for_everybody,
        _total_of_the_page,
        _wildcards_match,
    ],
    "talk": [
        _deleted_messages_are_seen,
        _blind_recipients_are_told,
        _begins_with_the_oldest,
        _who_has_left_sees_who_came,
        _trash_is_unread,
    ],
}
"""By what a document has to be about to find them."""
