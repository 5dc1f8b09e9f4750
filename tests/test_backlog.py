"""The figures for who runs the program, as both engines count them."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, insert

from models.backlog import Backlog, read_backlog
from models.tables.events import job_runs, outbox
from tests.api import Api
from tests.school import NOW, SchoolClock


def command(**columns: Any) -> dict[str, Any]:
    fixed = {"organization_id": 1, "command": "CREATE_CHAT", "payload": "{}"}
    kept = {"waits_for_night": False, "created_at": NOW, "sent_at": None, "dead_at": None}
    return {**fixed, **kept, **columns}


def night(organization: int, days_ago: int) -> dict[str, Any]:
    at = NOW - timedelta(days=days_ago)
    local_date = date(2026, 9, 10) - timedelta(days=days_ago)
    fixed = {"job": "nightly", "changes": "{}", "started_at": at, "finished_at": at}
    return {"organization_id": organization, "local_date": local_date, **fixed}


async def test_what_waits_and_when_the_nights_were(api: Api, clock: SchoolClock) -> None:
    long_ago = NOW - timedelta(days=3)
    with api.database.transaction() as tx:
        tx.execute(delete(job_runs))
        tx.execute(delete(outbox))
    assert await read_backlog(api.database) == Backlog(0, None, 0, 0, 0, None, None)
    with api.database.transaction() as tx:
        for row in (
            command(created_at=NOW - timedelta(seconds=90)),
            command(),
            command(waits_for_night=True, created_at=long_ago),
            command(sent_at=NOW, created_at=long_ago),
            command(dead_at=NOW, created_at=long_ago),
        ):
            tx.execute(insert(outbox).values(row))
        tx.execute(insert(job_runs), [night(1, 0), night(1, 1), night(1, 9), night(2, 4), night(2, 5)])
    expected = Backlog(
        ready=2,
        oldest=NOW - timedelta(seconds=90),
        for_night=1,
        dead=1,
        nights=1,
        latest_night=NOW,
        oldest_night=NOW - timedelta(days=4),
    )
    assert await read_backlog(api.database) == expected
    clock.forward(days=2)
    assert (await read_backlog(api.database)).nights == 0
