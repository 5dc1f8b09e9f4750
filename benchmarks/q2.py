"""Q2, the history: the last 50 messages of a group of 30, with their authors and attachments."""

import sqlite3

import orjson

from benchmarks.ratio import Bounds, Outcome
from benchmarks.school import FIRST_CONVERSATION
from benchmarks.stage import Stage, against_raw

NAME = "q2"
TITLE = "Q2, the history: 50 messages of a group, with authors and attachments"
BOUNDS = Bounds(must=3.0, aim=2.2, must_cpu=3.0, aim_cpu=2.6)

DOCUMENT = """query History($id: ID!, $last: Int!) {
  node(id: $id) {
    ... on Conversation {
      messages(last: $last) {
        nodes {
          id
          body
          sentAt
          isRead
          author { id name }
          attachments { id name contentType byteSize }
        }
      }
    }
  }
}"""

STATEMENT = """
SELECT json_group_array(json_object(
    'id', 'Message_' || message.id,
    'body', message.body,
    'sentAt', message.sent_at,
    'isRead', json(CASE WHEN message.read_at IS NULL THEN 'false' ELSE 'true' END),
    'author', (SELECT json_object('id', 'User_' || id, 'name', name) FROM users WHERE id = message.author_id),
    'attachments', (
        SELECT json_group_array(json_object(
            'id', 'Attachment_' || id, 'name', name, 'contentType', content_type, 'byteSize', byte_size))
        FROM (SELECT * FROM attachments WHERE message_id = message.id ORDER BY place))
))
FROM (
    SELECT * FROM (
        SELECT messages.id, messages.body, messages.sent_at, messages.author_id, mine.read_at, mine.event
        FROM deliveries AS mine JOIN messages ON messages.id = mine.message_id
        WHERE mine.user_id = ?1 AND mine.conversation_id = ?2 AND mine.deleted_at IS NULL
        AND mine.event IS NOT NULL AND mine.trashed_at IS NULL
        ORDER BY mine.event DESC
        LIMIT ?3
    ) ORDER BY event
) AS message
"""


def run(on: Stage) -> Outcome:
    variables = {"id": f"Conversation_{FIRST_CONVERSATION}", "last": 50}
    return against_raw(on, NAME, title=TITLE, document=DOCUMENT, variables=variables, bounds=BOUNDS)


def answer(connection: sqlite3.Connection, person: int, body: bytes) -> bytes:
    """The raw handler: the same answer, byte for byte."""
    variables = orjson.loads(body)["variables"]
    conversation = int(variables["id"].removeprefix("Conversation_"))
    (text,) = connection.execute(STATEMENT, (person, conversation, variables["last"])).fetchone()
    return b'{"data":{"node":{"messages":{"nodes":%b}}}}' % text.encode()
