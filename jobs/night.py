"""What happens in a night of one school? Six things in this order, in one short transaction, once per local date.

Messages go that the school keeps no longer; where these are many, in transactions of their own before. Stale calls
are finished (E56), the mandatory chats rebuilt (E34), what waited for the night is given to the outbox (E35), and
what nobody needs is dropped: uploads without a message, links that were begun and not ended.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Date, bindparam, insert, literal, select

from jobs.mandatory_chats import rebuild
from jobs.orphans import collect_link_attempts, collect_orphans
from jobs.retention import AT_ONCE, purge_old
from jobs.stale_calls import finish_stale_calls
from jobs.waiting_commands import release
from models.database import Clock, Transaction
from models.organization import Organization
from models.prepared import Prepared
from models.tables.base import Key
from models.tables.events import job_runs

JOB = "nightly"

WORDS = {
    "chats_created": "chats created",
    "chats_changed": "chats changed",
    "chats_ended": "chats ended",
    "joined": "participants joined",
    "left": "participants left",
    "calls_finished": "calls finished",
    "commands_released": "commands released",
    "uploads_dropped": "uploads dropped",
    "links_dropped": "link attempts dropped",
    "messages_purged": "messages purged",
}
"""What a night counts, and how it is told."""


@dataclass(frozen=True)
class Night:
    """What a night of one organization did."""

    organization: str
    local_date: date
    chats_created: int
    chats_changed: int
    chats_ended: int
    joined: int
    left: int
    calls_finished: int
    commands_released: int
    uploads_dropped: int
    links_dropped: int
    messages_purged: int

    def line(self) -> str:
        """For a terminal or a log."""
        return f"{self.organization}, {self.local_date}: {told(self.did())}"

    def did(self) -> dict[str, int]:
        """How many of what, by the names of the fields."""
        counts = asdict(self)
        del counts["organization"], counts["local_date"]
        return counts


def told(did: Mapping[str, int]) -> str:
    """What a night did, in words: `chats created: 3, participants joined: 4`."""
    counts = [f"{words}: {did[name]}" for name, words in WORDS.items() if did.get(name)]
    return ", ".join(counts) or "nothing changed"


class Unfinished(NamedTuple):
    """A night that has purged so many messages, and must be run again in another transaction to go on."""

    purged: int


def run_night(
    tx: Transaction, organization: Organization, local_date: date, *, clock: Clock, begun: Unfinished | None = None
) -> Night | Unfinished | None:
    """The night that begins this local date; None when it has run already, and then nothing is written.

    A night that finds nothing to change leaves its row in `job_runs` and nothing else. `clock` says when it
    ended; all that it writes is written as of its beginning.
    """
    if has_run(tx, organization.id, local_date):
        return None
    some = purge_old(tx, organization)
    purged = some + (begun.purged if begun else 0)
    if some == AT_ONCE:
        return Unfinished(purged)
    finished = finish_stale_calls(tx, organization, local_date)
    changes = rebuild(tx, organization)
    night = Night(
        organization=organization.name,
        local_date=local_date,
        chats_created=changes.created,
        chats_changed=changes.changed,
        chats_ended=changes.ended,
        joined=changes.joined,
        left=changes.left,
        calls_finished=finished,
        commands_released=release(tx, organization),
        uploads_dropped=collect_orphans(tx, organization),
        links_dropped=collect_link_attempts(tx, organization),
        messages_purged=purged,
    )
    run = {"started_at": tx.now, "finished_at": clock(), "changes": json.dumps(night.did())}
    tx.execute(_KEEP, {"organization_id": organization.id, "job": JOB, "local_date": local_date, **run})
    return night


def has_run(tx: Transaction, organization_id: int, local_date: date) -> bool:
    return bool(_HAS_RUN.tuples(tx, of_organization=organization_id, on=local_date.isoformat()))


_HAS_RUN = Prepared(
    select(literal(1)).where(
        job_runs.c.organization_id == bindparam("of_organization", type_=Key),
        job_runs.c.job == JOB,
        job_runs.c.local_date == bindparam("on", type_=Date),
    )
)
_KEEP = insert(job_runs)
