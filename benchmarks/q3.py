"""Q3, the list of conversations: 20 with title, kind, last message and its author, and how much is unread."""

import sqlite3

import orjson

from benchmarks.ratio import Bounds, Outcome
from benchmarks.stage import Stage, against_raw

NAME = "q3"
TITLE = "Q3, the list: 20 conversations with title, kind, last message and its author, and unread count"
BOUNDS = Bounds(must=2.0, aim=1.5, must_cpu=2.2, aim_cpu=1.9)

DOCUMENT = """query Conversations($first: Int!) {
  viewer {
    conversations(first: $first) {
      nodes {
        id
        kind
        title
        lastMessage { id body sentAt author { id name } }
        unreadCount
      }
    }
  }
}"""

STATEMENT = """
SELECT json_group_array(json_object(
    'id', 'Conversation_' || place.id,
    'kind', place.kind,
    'title', CASE place.kind
        WHEN 'GROUP' THEN place.title
        ELSE (SELECT name FROM users WHERE id = place.low_id + place.high_id - ?1) END,
    'lastMessage', (
        SELECT json_object(
            'id', 'Message_' || message.id,
            'body', message.body,
            'sentAt', message.sent_at,
            'author', json_object('id', 'User_' || author.id, 'name', author.name))
        FROM deliveries AS newest
        JOIN messages AS message ON message.id = newest.message_id
        JOIN users AS author ON author.id = message.author_id
        WHERE newest.user_id = ?1 AND newest.conversation_id = place.id AND newest.deleted_at IS NULL
        AND newest.event IS NOT NULL AND newest.trashed_at IS NULL
        ORDER BY newest.event DESC
        LIMIT 1),
    'unreadCount', (
        SELECT count(*) FROM deliveries
        WHERE user_id = ?1 AND conversation_id = place.id AND read_at IS NULL AND trashed_at IS NULL
        AND deleted_at IS NULL AND received_as IS NOT NULL)
))
FROM (
    SELECT conversations.id, conversations.kind, conversations.title, conversations.low_id, conversations.high_id
    FROM participations AS mine JOIN conversations ON conversations.id = mine.room_id
    WHERE mine.user_id = ?1 AND mine.latest_event IS NOT NULL
    ORDER BY mine.latest_event DESC
    LIMIT ?2
) AS place
"""


def run(on: Stage) -> Outcome:
    return against_raw(on, NAME, title=TITLE, document=DOCUMENT, variables={"first": 20}, bounds=BOUNDS)


def answer(connection: sqlite3.Connection, person: int, body: bytes) -> bytes:
    """The raw handler: the same answer, byte for byte."""
    first = orjson.loads(body)["variables"]["first"]
    (text,) = connection.execute(STATEMENT, (person, first)).fetchone()
    return b'{"data":{"viewer":{"conversations":{"nodes":%b}}}}' % text.encode()
