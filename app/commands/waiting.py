"""What has the messenger outside not been told, and what will it never be told?"""

from collections.abc import Iterator

from models.database import Database
from models.outbox import count_open, dead_letters, revive


def waiting_lines(database: Database, *, again: bool) -> Iterator[str]:
    """A line of counts, then one for each command that was given up, the latest first. `again`: those are tried
    again from now on."""
    with database.transaction() as tx:
        given_up = dead_letters(tx)
        ready, for_night = count_open(tx)
        if again:
            revive(tx)
    yield f"{ready} to be told, {for_night} for the night, {len(given_up)} given up"
    for row in given_up:
        subject = f"Chat_{row.chat_id}" if row.user_id is None else f"User_{row.user_id}"
        since = "" if row.failing_since is None else f"{row.failing_since:%Y-%m-%d %H:%M} to "
        yield (
            f"{row.id}  {row.command}  {subject}  {row.organization}  "
            f"{since}{row.dead_at:%Y-%m-%d %H:%M} UTC  {row.attempts} times  {row.fault}"
        )
    if again and given_up:
        yield "All of them are tried again."
