"""What do people of the school write to each other? 200,000 messages, in 40 groups of 30 and 1,000 pairs.

So many rows go in by plain SQL, without the rules and without the checks of references.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from models.tables.base import rfc3339

GROUPS = 40
IN_A_GROUP = 30
PAIRS = 1_000
MESSAGES = 200_000
GROUP_MESSAGE_EVERY = 50
UNREAD = 5_000
"""So many of the last messages were read by none of those whom they reached."""
OF_VIEWER = 13
"""So many of the groups and of the pairs."""
FILES = ("Расписание.pdf", "Sortie scolaire.docx")
FILES_EVERY = 5

VIEWER = 1
BODIES = (
    "Завтра первый урок в кабинете 214, возьмите тетради для контрольных работ.",
    "Merci, c'est bien noté. À demain !",
    "The trip leaves at nine from the main gate; please bring the signed form and something to eat.",
)

_DELIVER = """
INSERT INTO deliveries (
    organization_id, user_id, message_id, conversation_id, kind, event, is_author, received_as, read_at)
SELECT
    message.organization_id, person.user_id, message.id, message.conversation_id, conversation.kind, message.event,
    person.user_id = message.author_id,
    CASE WHEN person.user_id <> message.author_id THEN 'MEMBER' END,
    CASE WHEN person.user_id = message.author_id OR message.id <= ? THEN message.sent_at END
FROM conversations AS conversation
CROSS JOIN participations AS person ON person.room_id = conversation.id
CROSS JOIN messages AS message ON message.conversation_id = conversation.id
ORDER BY person.user_id, message.id
"""
_TELL = """
INSERT INTO events (organization_id, number, kind, conversation_id, message_id, at)
SELECT organization_id, event, 'MESSAGE_SENT', conversation_id, id, sent_at FROM messages
"""
_LIST = """
UPDATE participations SET latest_event = (
    SELECT max(event) FROM deliveries
    WHERE user_id = participations.user_id AND conversation_id = participations.room_id AND deleted_at IS NULL)
WHERE room_id IN (SELECT id FROM conversations)
"""


def converse(path: Path, *, school: int, first_room: int, first_event: int, now: datetime) -> None:
    """Adds the conversations. Rooms are numbered from `first_room` on, events from `first_event` on."""
    people = [*_people(Random(2026))]
    moment = rfc3339(now)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -131072")
        connection.execute("BEGIN")
        for place, members in enumerate(people):
            room = first_room + place
            _insert(connection, "rooms", [{"id": room, "organization_id": school}])
            _insert(connection, "conversations", [_conversation(school, room, place, members, moment)])
            _insert(connection, "participations", [_part(school, room, person, moment) for person in members])
        messages = [*_messages(school, first_room, first_event, people, now)]
        connection.executemany(
            "INSERT INTO messages (id, organization_id, conversation_id, author_id, body, format, event, sent_at, "
            "created_at) VALUES (?, ?, ?, ?, ?, 'TEXT', ?, ?, ?)",
            messages,
        )
        _insert(connection, "attachments", [*_files(school, messages, first_room + GROUPS)])
        connection.execute(_DELIVER, (MESSAGES - UNREAD,))
        connection.execute(_TELL)
        connection.execute(_LIST)
        last_event = first_event + MESSAGES - 1
        connection.execute("UPDATE organizations SET last_event = ? WHERE id = ?", (last_event, school))
        connection.execute("COMMIT")


def _people(choose: Random) -> Iterator[list[int]]:
    """Who takes part in each conversation, groups first; the viewer in the first of each kind."""
    for place in range(GROUPS):
        others = choose.sample(range(2, 2_001), IN_A_GROUP)
        yield [VIEWER, *others[1:]] if place < OF_VIEWER else others
    for place in range(PAIRS):
        yield [VIEWER, 2 + place] if place < OF_VIEWER else [100 + place, 600 + place]


def _conversation(school: int, room: int, place: int, members: list[int], moment: str) -> dict[str, Any]:
    own = {"id": room, "organization_id": school, "created_at": moment}
    if place < GROUPS:
        return {**own, "kind": "GROUP", "title": f"Projet № {place}", "search_key": f"projet № {place}"}
    return {**own, "kind": "DIRECT", "low_id": min(members), "high_id": max(members)}


def _part(school: int, room: int, person: int, moment: str) -> dict[str, Any]:
    return {
        "organization_id": school,
        "room_id": room,
        "user_id": person,
        "is_administrator": 0,
        "is_linked": 1,
        "joined_at": moment,
        "joined_event": 1,
    }


def _messages(
    school: int, first_room: int, first_event: int, people: list[list[int]], now: datetime
) -> Iterator[tuple[Any, ...]]:
    """One a minute until now, the conversations in turns; in each its people in turns."""
    said = [0] * len(people)
    for number in range(1, MESSAGES + 1):
        turn, rest = divmod(number, GROUP_MESSAGE_EVERY)
        place = GROUPS + (number - turn) % PAIRS if rest else turn % GROUPS
        author = people[place][said[place] % len(people[place])]
        said[place] += 1
        at = rfc3339(now - timedelta(minutes=MESSAGES - number))
        body = f"{BODIES[number % len(BODIES)]} ({number})"
        yield number, school, first_room + place, author, body, first_event + number - 1, at, at


def _files(school: int, messages: list[tuple[Any, ...]], first_pair: int) -> Iterator[dict[str, Any]]:
    """Two with every fifth message of each group."""
    in_groups = [message for message in messages if message[2] < first_pair]
    for message in (it for place, it in enumerate(in_groups) if place // GROUPS % FILES_EVERY == 0):
        for place, name in enumerate(FILES):
            yield {
                "organization_id": school,
                "uploader_id": message[3],
                "message_id": message[0],
                "place": place,
                "name": name,
                "content_type": "application/pdf",
                "byte_size": 1_000 + message[0],
                "digest": f"{message[0]:064x}",
                "storage_key": f"{message[0]}-{place}",
                "created_at": message[6],
            }


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(rows[0])
    places = ", ".join(f":{name}" for name in rows[0])
    connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
