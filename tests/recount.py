"""What should a badge show? Counted again from all rows, without any of the program's SQL."""

from typing import Any

from sqlalchemy import select

from models.actor import Viewer
from models.badges import new_calls
from models.database import Database
from models.tables.calls import calls
from models.tables.chats import chats, participations
from models.tables.people import users


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
        for participation in rows(participations):
            if participation.left_at is None:
                rooms.setdefault(participation.user_id, set()).add(participation.room_id)
        for person in rows(users):
            wanted = sum(
                call.published_event > person.chats_seen_event
                for call in published
                if call.chat_id in rooms.get(person.id, ())
            )
            shown = connection.execute(select(new_calls(Viewer(person.id, person.organization_id)))).scalar_one()
            assert shown == wanted, f"{person.login}: the badge shows {shown}, a recount gives {wanted}"
