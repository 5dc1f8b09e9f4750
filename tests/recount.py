"""What should a badge show? Counted again from all rows, without any of the program's SQL."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Integer, bindparam, select

from models.actor import Viewer
from models.badges import new_calls, unread_conversations, unread_mail, unread_messages
from models.database import Database
from models.reports import open_reports
from models.tables.calls import calls
from models.tables.chats import chats, participations
from models.tables.conversations import deliveries, messages
from models.tables.organization import organizations
from models.tables.people import groups, memberships, users
from models.tables.safeguarding import reports


def assert_badges_equal_a_recount(database: Database) -> None:
    """Invariant 7, for everybody in the database."""
    with database.engine.connect() as connection:

        def rows(table: Any) -> list[Any]:
            return list(connection.execute(select(table)))

        live = {chat.id for chat in rows(chats) if chat.ended_at is None}
        published = [
            call
            for call in rows(calls)
            if call.status == "PUBLISHED" and call.deleted_at is None and call.chat_id in live
        ]
        rooms: dict[int, set[int]] = {}
        muted: set[tuple[int, int]] = set()
        intervals: dict[tuple[int, int], list[Any]] = {}
        for participation in rows(participations):
            intervals.setdefault((participation.user_id, participation.room_id), []).append(participation)
            if participation.left_at is None:
                rooms.setdefault(participation.user_id, set()).add(participation.room_id)
                if participation.muted_at is not None:
                    muted.add((participation.user_id, participation.room_id))
        reported = rows(reports)
        authors = {message.id: message.author_id for message in rows(messages)} if reported else {}
        officers = _officers(rows)
        unread: dict[int, list[Any]] = {}
        for copy in rows(deliveries):
            gone = copy.trashed_at or copy.deleted_at
            if copy.kind == "CHAT":
                there = intervals.get((copy.user_id, copy.conversation_id), [])
                gone = gone or copy.conversation_id not in live or not any(_covers(it, copy) for it in there)
            if copy.received_as is not None and copy.read_at is None and not gone:
                unread.setdefault(copy.user_id, []).append(copy)
        for person in rows(users):
            copies = unread.get(person.id, [])
            talk = [it for it in copies if it.kind != "MAIL" and (person.id, it.conversation_id) not in muted]
            wanted = {
                new_calls: sum(
                    call.published_event > person.chats_seen_event
                    for call in published
                    if call.chat_id in rooms.get(person.id, ())
                ),
                unread_messages: len(talk),
                unread_conversations: len({it.conversation_id for it in talk}),
                unread_mail: sum(it.kind == "MAIL" for it in copies),
            }
            wanted[open_reports] = sum(
                report.organization_id == person.organization_id
                and report.status == "OPEN"
                and authors[report.message_id] != person.id
                for report in (reported if person.id in officers else ())
            )
            asked = {"viewer_id": person.id, "organization_id": person.organization_id}
            shown = connection.execute(_SHOWN, asked).one()._mapping
            for count, number in wanted.items():
                told = f"{person.login}: {count.__name__} shows {shown[count.__name__]}, a recount gives {number}"
                assert shown[count.__name__] == number, told


def _officers(rows: Callable[[Any], list[Any]]) -> set[int]:
    """Who is at the position of the school that looks at reports."""
    position = {
        school.id: school.policy.get("safeguardingPosition", "ADMINISTRATOR") for school in rows(organizations)
    }
    whole = {group.id: group.organization_id for group in rows(groups) if group.kind == "ORGANIZATION"}
    return {
        held.user_id
        for held in rows(memberships)
        if held.until is None and held.group_id in whole and held.position == position[whole[held.group_id]]
    }


def _covers(interval: Any, copy: Any) -> bool:
    """Whether somebody took part in the chat when this was written."""
    left = interval.left_event
    return bool(interval.joined_event < copy.event and (left is None or copy.event < left))


_ANYBODY = Viewer(bindparam("viewer_id", type_=Integer()), bindparam("organization_id", type_=Integer()))
_SHOWN = select(
    *(
        count(_ANYBODY).label(count.__name__)
        for count in (new_calls, unread_messages, unread_conversations, unread_mail, open_reports)
    )
)
"""What the program shows to a person: made once, because it is asked for everybody after each test."""
