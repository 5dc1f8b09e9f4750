"""Are published calls of past days finished at night, by the calendar of their school?"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from models.actor import Viewer
from models.badges import new_calls
from models.calls import publish_call
from models.chat_scopes import visible_calls
from models.chats import found_chat
from models.database import Database
from models.links import link
from models.tables.calls import CallStatus, calls
from models.tables.chats import ChatKind
from models.tables.people import Position
from tests.small_school import MONDAY, SmallSchool, Watch, database_at, dump

TUESDAY = date(2026, 9, 8)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return database_at(tmp_path, Watch())


def school_in(database: Database, time_zone: str, name: str = "School") -> SmallSchool:
    school = SmallSchool(database, name, time_zone=time_zone)
    school.person("head", Position.ADMINISTRATOR)
    for group in ("G", "H", "K", "L"):
        school.group(group)
        school.join(group, Position.CURATOR, f"curator{group}")
        school.join(group, Position.LEARNER, f"learner{group}")
    school.night(TUESDAY.replace(day=1))
    return school


def local(school: SmallSchool, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of September, by the clock on the school's wall."""
    return datetime(2026, 9, day, hour, minute, tzinfo=school.known().time_zone)


def state(school: SmallSchool, call_id: int) -> Any:
    with school.database.engine.connect() as connection:
        return connection.execute(select(calls).where(calls.c.id == call_id)).one()


def seen_by(school: SmallSchool, login: str) -> tuple[list[int], int]:
    """The calls that somebody sees, and his badge."""
    viewer = Viewer(school.people[login], school.id)
    with school.database.transaction() as tx:
        seen = sorted(row.id for row in tx.execute(visible_calls(viewer)))
        return seen, tx.execute(select(new_calls(viewer))).scalar_one()


def test_E56_scenario_10_yesterday_is_finished_by_the_system_and_today_is_not(database: Database) -> None:
    school = school_in(database, "Asia/Yekaterinburg")
    g, h = school.chat_id(ChatKind.GROUP, "G"), school.chat_id(ChatKind.GROUP, "H")
    late = school.call(g, local(school, 7, 23, 30), CallStatus.CREATED)
    morning = school.call(h, local(school, 8, 9), CallStatus.CREATED)
    with database.transaction() as tx:
        head = school.actor(tx, "head")
        link(tx, school.id, head.id, "account")
        head = school.actor(tx, "head")
        for call_id in (late, morning):
            publish_call(tx, head, call_id)
    assert seen_by(school, "learnerG") == ([late], 1)
    heard, told = len(school.events()), len(school.told())

    night = school.night(TUESDAY)

    assert night is not None
    assert (night.calls_finished, night.chats_changed) == (1, 0)
    assert (state(school, late).status, state(school, late).last_actor_id) == ("FINISHED", None)
    assert state(school, late).last_acted_at == MONDAY
    assert state(school, morning).status == "PUBLISHED"
    assert school.events()[heard:] == [("CALL_CHANGED", g, late)]
    assert school.told()[told:] == [("FINISH_CALL", g, late)]
    assert seen_by(school, "learnerG") == ([], 0)
    assert seen_by(school, "learnerH") == ([morning], 1)
    assert seen_by(school, "head")[0] == [late, morning]


@pytest.mark.parametrize(
    "time_zone",
    ["Asia/Yekaterinburg", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "Asia/Kathmandu", "UTC"],
)
def test_A5_the_day_of_a_call_is_the_day_at_school(database: Database, time_zone: str) -> None:
    school = school_in(database, time_zone)
    g, h, k, l_ = (school.chat_id(ChatKind.GROUP, group) for group in ("G", "H", "K", "L"))
    last_minute = school.call(g, local(school, 7, 23, 59))
    midnight = school.call(h, local(school, 8, 0))
    long_ago = school.call(k, local(school, 1, 12))
    tomorrow = school.call(l_, local(school, 9, 0))
    school.night(TUESDAY)
    finished = {call: state(school, call).status for call in (last_minute, midnight, long_ago, tomorrow)}
    assert finished == {
        last_minute: "FINISHED",
        midnight: "PUBLISHED",
        long_ago: "FINISHED",
        tomorrow: "PUBLISHED",
    }


@pytest.mark.parametrize(
    ("time_zone", "before", "after", "day"),
    [
        # The clocks skip midnight: the day begins at one.
        ("America/Havana", "2026-03-08T04:59Z", "2026-03-08T05:00Z", date(2026, 3, 8)),
        ("Asia/Beirut", "2026-03-28T21:59Z", "2026-03-28T22:00Z", date(2026, 3, 29)),
        # Midnight comes twice: the day begins with the first.
        ("America/Havana", "2026-11-01T03:59Z", "2026-11-01T04:00Z", date(2026, 11, 1)),
        # The last hour of the day comes twice.
        ("Asia/Beirut", "2026-10-24T21:59Z", "2026-10-24T22:00Z", date(2026, 10, 25)),
    ],
)
def test_A5_where_the_clocks_change_at_midnight(
    database: Database, time_zone: str, before: str, after: str, day: date
) -> None:
    school = school_in(database, time_zone)
    yesterday, today = (
        school.call(school.chat_id(ChatKind.GROUP, group), datetime.fromisoformat(moment))
        for group, moment in (("G", before), ("H", after))
    )
    school.night(day)
    assert (state(school, yesterday).status, state(school, today).status) == ("FINISHED", "PUBLISHED")


def test_E56_only_published_calls_that_are_there(database: Database) -> None:
    school = school_in(database, "Asia/Yekaterinburg")
    g = school.chat_id(ChatKind.GROUP, "G")
    for status in (CallStatus.CREATED, CallStatus.FINISHED):
        school.call(g, local(school, 1, 12), status)
    deleted = school.call(g, local(school, 1, 12))
    school.change_call(deleted, deleted_at=MONDAY)
    before = dump(database, without=("job_runs",))
    night = school.night(TUESDAY)
    assert night is not None
    assert night.calls_finished == 0
    assert dump(database, without=("job_runs",)) == before


def test_E56_in_chats_that_people_made_as_well(database: Database) -> None:
    school = school_in(database, "Asia/Yekaterinburg")
    with database.transaction() as tx:
        chat_id = found_chat(tx, school.id, ChatKind.CUSTOM, "Trip", None, {school.people["head"]: True})
    call_id = school.call(chat_id, local(school, 7, 12))
    school.night(TUESDAY)
    assert state(school, call_id).status == "FINISHED"


def test_E56_each_school_by_its_own_night(database: Database) -> None:
    here, there = school_in(database, "Asia/Yekaterinburg"), school_in(database, "UTC", "Next door")
    moment = datetime(2026, 9, 7, 12, tzinfo=UTC)
    ours, theirs = (s.call(s.chat_id(ChatKind.GROUP, "G"), moment) for s in (here, there))
    here.night(TUESDAY)
    assert (state(here, ours).status, state(there, theirs).status) == ("FINISHED", "PUBLISHED")


def test_A9_a_stale_call_of_a_group_that_ends_in_the_same_night(database: Database) -> None:
    """Finished first, then gone with its chat."""
    school = school_in(database, "Asia/Yekaterinburg")
    g = school.chat_id(ChatKind.GROUP, "G")
    call_id = school.call(g, local(school, 7, 12))
    school.end_group("G")
    heard = len(school.events())
    school.night(TUESDAY)
    assert state(school, call_id).status == "FINISHED"
    assert state(school, call_id).deleted_at == MONDAY
    assert [event for event in school.events()[heard:] if event[2] == call_id] == [
        ("CALL_CHANGED", g, call_id)
    ] * 2


def test_the_zones_of_these_tests_are_what_they_say() -> None:
    """The cases above say nothing where the clocks of a zone do not change as they describe."""
    havana, beirut = ZoneInfo("America/Havana"), ZoneInfo("Asia/Beirut")
    assert datetime(2026, 3, 8, 5, tzinfo=UTC).astimezone(havana).hour == 1
    assert datetime(2026, 11, 1, 5, tzinfo=UTC).astimezone(havana).hour == 0
    assert datetime(2026, 3, 28, 22, tzinfo=UTC).astimezone(beirut).hour == 1
    assert datetime(2026, 10, 24, 21, tzinfo=UTC).astimezone(beirut).hour == 23
    assert datetime(2026, 10, 24, 20, 30, tzinfo=UTC).astimezone(beirut).hour == 23
