"""Q1, the chats page: 20 chats with name, kind, counts, the published call, and what the viewer may do."""

import sqlite3
from typing import Any

import orjson

from benchmarks.ratio import Bounds, Outcome
from benchmarks.stage import Stage, against_raw

NAME = "q1"
TITLE = "Q1, the chats page: 20 chats, their counts and published calls, and what the viewer may do"
BOUNDS = Bounds(must=2.0, aim=1.5, must_cpu=2.2, aim_cpu=1.9)

DOCUMENT = """query ChatsPage($first: Int!) {
  viewer {
    chats(first: $first) {
      nodes {
        id
        name
        kind
        participantCount
        linkedParticipantCount
        publishedCall { id title startsAt }
        viewerActions
      }
    }
  }
}"""

STATEMENT = """
SELECT (
    SELECT json_group_array(json_object(
        'id', 'Chat_' || chat.id,
        'name', chat.name,
        'kind', chat.kind,
        'participantCount', (
            SELECT count(*) FROM participations WHERE room_id = chat.id AND left_at IS NULL),
        'linkedParticipantCount', (
            SELECT count(*) FROM participations WHERE room_id = chat.id AND left_at IS NULL AND is_linked),
        'publishedCall', (
            SELECT json_object('id', 'Call_' || id, 'title', title, 'startsAt', starts_at)
            FROM calls WHERE chat_id = chat.id AND status = 'PUBLISHED' AND deleted_at IS NULL),
        'viewerActions', chat.is_administrator
    ))
    FROM (
        SELECT chats.id, chats.name, chats.kind, mine.is_administrator
        FROM participations AS mine JOIN chats ON chats.id = mine.room_id
        WHERE mine.user_id = ?1 AND mine.left_at IS NULL AND chats.ended_at IS NULL
        ORDER BY chats.search_key, chats.id
        LIMIT ?2
    ) AS chat
),
EXISTS (SELECT 1 FROM profile_links WHERE user_id = ?1 AND unlinked_at IS NULL),
EXISTS (
    SELECT 1 FROM memberships JOIN groups ON groups.id = memberships.group_id
    WHERE memberships.user_id = ?1 AND memberships.until IS NULL AND memberships.position = 'ADMINISTRATOR'
    AND groups.kind = 'ORGANIZATION' AND groups.ended_at IS NULL)
"""

OF_CHAT_ADMINISTRATOR = ["RENAME", "EDIT_PARTICIPANTS", "EDIT_ADMINISTRATORS", "DELETE", "CREATE_CALL", "OPEN"]


def run(on: Stage) -> Outcome:
    return against_raw(on, NAME, title=TITLE, document=DOCUMENT, variables={"first": 20}, bounds=BOUNDS)


def answer(connection: sqlite3.Connection, person: int, body: bytes) -> bytes:
    """The raw handler: the same answer, byte for byte."""
    first = orjson.loads(body)["variables"]["first"]
    text, is_linked, is_administrator = connection.execute(STATEMENT, (person, first)).fetchone()
    nodes = orjson.loads(text)
    for chat in nodes:
        chat["viewerActions"] = _actions(chat, is_linked, is_administrator)
    return orjson.dumps({"data": {"viewer": {"chats": {"nodes": nodes}}}})


def _actions(chat: dict[str, Any], is_linked: int, is_administrator: int) -> list[str]:
    """For who takes part in the chat; unlinked one may do nothing."""
    if not is_linked:
        return []
    if chat["viewerActions"] and chat["kind"] in ("SUBGROUP", "CUSTOM"):
        return OF_CHAT_ADMINISTRATOR
    return ["CREATE_CALL", "OPEN"] if chat["viewerActions"] or is_administrator else ["OPEN"]
