"""Where in the history of an organization is somebody? Event cursors, opaque to clients."""

from models.errors import BadRequest


def event_number(cursor: str) -> int:
    """The number of the event. Raises BadRequest for what is no event cursor."""
    if cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18:
        return int(cursor)
    raise BadRequest("That is no event cursor: pass one that the server gave.")
