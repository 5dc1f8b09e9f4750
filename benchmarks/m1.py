"""M1, a message sent into a group of 30: answered when it is on disk.

The raw handlers write the message, its deliveries, its event and the places in the lists, with references checked
and the disk waited for; they ask no right, keep no audit and tell nobody. Préau's writer commits in groups, so the
limit does as well; one commit for each message is slower and shown beside it.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.ratio import Bounds, Outcome
from benchmarks.school import FIRST_CONVERSATION, SCHOOL
from benchmarks.stage import Stage, against_raw

NAME = "m1"
TITLE = "M1, a message into a group of 30, answered when it is on disk"
BOUNDS = Bounds(must=4.5, aim=3.5)
CONVERSATION = FIRST_CONVERSATION + 1
"""Not the one whose history is read."""

LIMITS = {
    "limit: raw, in groups": "/groups",
    "raw, one commit each": "",
    "the same, with a hop": "/hop",
}

DOCUMENT = """mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    ... on SendMessagePayload { sent { id body sentAt } }
  }
}"""

_NUMBER = "UPDATE organizations SET last_event = last_event + 1 WHERE id = ? RETURNING last_event"
_MESSAGE = """
INSERT INTO messages (
    organization_id, conversation_id, author_id, body, format, event, sent_at, created_at)
VALUES (?1, ?2, ?3, ?4, 'TEXT', ?5, ?6, ?6) RETURNING id
"""
_EVENT = """
INSERT INTO events (organization_id, number, kind, conversation_id, message_id, at)
VALUES (?, ?, 'MESSAGE_SENT', ?, ?, ?)
"""
_DELIVER = """
INSERT INTO deliveries (
    organization_id, user_id, message_id, conversation_id, kind, event, is_author, received_as, read_at)
SELECT
    organization_id, user_id, ?1, room_id, 'GROUP', ?2, user_id = ?3,
    CASE WHEN user_id <> ?3 THEN 'MEMBER' END, CASE WHEN user_id = ?3 THEN ?4 END
FROM participations WHERE room_id = ?5 AND left_at IS NULL
"""
_LIST = "UPDATE participations SET latest_event = ? WHERE room_id = ? AND left_at IS NULL"

_WRITTEN = """
SELECT
    (SELECT json_array(organization_id, conversation_id, author_id, parent_id, body, format, sent_at = created_at)
     FROM messages WHERE id = ?1),
    (SELECT json_group_array(json_array(user_id, kind, is_author, received_as, read_at IS NULL, event = (
        SELECT event FROM messages WHERE id = ?1))) FROM (
        SELECT * FROM deliveries WHERE message_id = ?1 ORDER BY user_id)),
    (SELECT json_array(kind, conversation_id, user_id, number = (SELECT event FROM messages WHERE id = ?1))
     FROM events WHERE message_id = ?1)
"""


def run(on: Stage) -> Outcome:
    def agree(bodies: Sequence[bytes]) -> None:
        """All have stored the same, as one sees who looks."""
        assert len({len(body) for body in bodies}) == 1, b"\n".join(bodies).decode()
        with closing(sqlite3.connect(on.school.path)) as connection:
            stored = {connection.execute(_WRITTEN, (_sent(body),)).fetchone() for body in bodies}
        assert len(stored) == 1, stored
        assert None not in stored.pop(), "Something was not stored."

    message = {"conversationId": f"Conversation_{CONVERSATION}", "body": "Завтра урок в кабинете 214, у окна."}
    variables = {"input": message}
    return against_raw(
        on, NAME, title=TITLE, document=DOCUMENT, variables=variables, bounds=BOUNDS, agree=agree, limits=LIMITS
    )


def answer(connection: sqlite3.Connection, person: int, body: bytes) -> bytes:
    """The raw handler: one transaction, then the answer."""
    connection.execute("BEGIN IMMEDIATE")
    answered = write(connection, person, body)
    connection.execute("COMMIT")
    return answered


def write(connection: sqlite3.Connection, person: int, body: bytes) -> bytes:
    """The same inside a transaction."""
    asked = orjson.loads(body)["variables"]["input"]
    room, text = int(asked["conversationId"].removeprefix("Conversation_")), asked["body"]
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    ((event,),) = connection.execute(_NUMBER, (SCHOOL,)).fetchall()
    ((number,),) = connection.execute(_MESSAGE, (SCHOOL, room, person, text, event, now)).fetchall()
    connection.execute(_EVENT, (SCHOOL, event, room, number, now))
    connection.execute(_DELIVER, (number, event, person, now, room))
    connection.execute(_LIST, (event, room))
    sent = {"id": f"Message_{number}", "body": text, "sentAt": now}
    return orjson.dumps({"data": {"sendMessage": {"sent": sent}}})


def _sent(body: bytes) -> int:
    """The message's number."""
    answer: dict[str, Any] = orjson.loads(body)
    return int(answer["data"]["sendMessage"]["sent"]["id"].removeprefix("Message_"))
