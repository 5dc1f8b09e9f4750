"""In which order does a night do its work, and what does it leave alone? What waited for it leaves, what nobody
needs goes."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from jobs.night import JOB, Night, run_night
from models.actor import Viewer
from models.attachments import File, expect_file, keep_file
from models.chats import change_members, found_chat
from models.links import ATTEMPT_LASTS
from models.tables.chats import ChatKind
from models.tables.conversations import attachments
from models.tables.events import job_runs, outbox
from models.tables.links import link_attempts
from models.tables.people import Position
from tests.small_school import SmallSchool, Watch, database_at, dump

FIRST, SECOND, THIRD = (date(2026, 9, day) for day in (8, 9, 10))
LEARNER, CURATOR = Position.LEARNER, Position.CURATOR
DAY = timedelta(days=1)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> SmallSchool:
    return small(SmallSchool(database_at(tmp_path, watch)))


def small(school: SmallSchool) -> SmallSchool:
    school.group("G")
    school.join("G", CURATOR, "curator")
    school.join("G", LEARNER, "anna", "boris")
    school.night(FIRST)
    return school


def waiting(school: SmallSchool) -> list[tuple[str, bool]]:
    """(command, whether it still waits) of everything queued for the messenger outside, in order."""
    with school.database.engine.connect() as connection:
        of_school = select(outbox).where(outbox.c.organization_id == school.id).order_by(outbox.c.id)
        return [(row.command, row.waits_for_night) for row in connection.execute(of_school)]


def made_chat(school: SmallSchool) -> int:
    """A chat of people's own, from which boris is taken by day."""
    with school.database.transaction(school.id) as tx:
        roles = {school.people["curator"]: True, school.people["boris"]: False}
        chat_id = found_chat(tx, school.id, ChatKind.CUSTOM, "Party", None, roles)
        change_members(tx, school.id, chat_id, leaving={school.people["boris"]})
    return chat_id


# --------------------------------------------------------------------------------------- the outbox


def test_E35_membership_changed_by_day_waits_for_the_night_and_then_leaves(school: SmallSchool) -> None:
    before = waiting(school)
    made_chat(school)
    assert waiting(school)[len(before) :] == [("CREATE_CHAT", False), ("SET_MEMBERS", True)]
    night = school.night(SECOND)
    assert night is not None and night.commands_released == 1
    assert waiting(school)[len(before) :] == [("CREATE_CHAT", False), ("SET_MEMBERS", False)]


def test_E35_what_the_night_itself_changes_leaves_with_it(school: SmallSchool) -> None:
    """The chats are rebuilt before the commands are released."""
    before = waiting(school)
    school.leave("G", LEARNER, "anna")
    night = school.night(SECOND)
    assert night is not None and night.commands_released == 1
    assert waiting(school)[len(before) :] == [("SET_MEMBERS", False)]


def test_E35_a_school_releases_its_own_commands_alone(school: SmallSchool) -> None:
    next_door = small(SmallSchool(school.database, "Next door"))
    for one in (school, next_door):
        made_chat(one)
    school.night(SECOND)
    assert waiting(school)[-1] == ("SET_MEMBERS", False)
    assert waiting(next_door)[-1] == ("SET_MEMBERS", True)


def test_E35_what_is_released_is_looked_at_at_once(school: SmallSchool) -> None:
    """Whoever sends is woken by the commit, also where the night changed nothing else."""
    made_chat(school)
    woken: list[set[int]] = []
    school.database.on_commit = woken.append
    school.night(SECOND)
    school.night(THIRD)
    assert woken == [{school.id}]


# ------------------------------------------------------------------------------- links and uploads


def attempts(school: SmallSchool) -> list[str]:
    with school.database.engine.connect() as connection:
        return [row.state for row in connection.execute(select(link_attempts).order_by(link_attempts.c.begun_at))]


def begin(school: SmallSchool, login: str) -> None:
    with school.database.transaction(school.id) as tx:
        begun = {"user_id": school.people[login], "begun_at": tx.now, "state": f"{school.name} {login}"}
        tx.execute(insert(link_attempts).values(organization_id=school.id, **begun))


def test_E42_a_link_that_can_not_be_completed_any_more_is_forgotten(school: SmallSchool, watch: Watch) -> None:
    next_door = small(SmallSchool(school.database, "Next door"))
    begin(school, "anna")
    begin(next_door, "anna")
    [of_anna, of_next_door] = attempts(school)
    watch.now += timedelta(milliseconds=1)
    begin(school, "boris")
    watch.now += ATTEMPT_LASTS - timedelta(milliseconds=1)
    of_boris = (set(attempts(school)) - {of_anna, of_next_door}).pop()
    night = school.night(SECOND)
    assert night is not None and night.links_dropped == 1
    assert len(attempts(school)) == 2 and of_boris in attempts(school)
    night = school.night(THIRD)
    assert night is not None and night.links_dropped == 0
    night = next_door.night(SECOND)
    assert night is not None and night.links_dropped == 1
    assert attempts(school) == [of_boris]


def test_a_night_drops_the_uploads_of_its_own_school_alone(school: SmallSchool, watch: Watch) -> None:
    next_door = small(SmallSchool(school.database, "Next door"))
    for one in (school, next_door):
        with one.database.transaction(one.id) as tx:
            viewer, key = Viewer(one.people["anna"], one.id), f"{one.id}/a"
            expect_file(tx, viewer, key)
            keep_file(tx, viewer, File(key, "a.png", "image/png", 1, "0" * 64))
    watch.now += DAY
    night = school.night(SECOND)
    assert night is not None and night.uploads_dropped == 0  # a day is not over
    watch.now += timedelta(milliseconds=1)
    night = school.night(THIRD)
    assert night is not None and night.uploads_dropped == 1
    with school.database.engine.connect() as connection:
        assert [row.organization_id for row in connection.execute(select(attachments))] == [next_door.id]


# ------------------------------------------------------------------------------------- the order


def test_E56_a_call_is_finished_before_the_chat_of_its_group_ends(school: SmallSchool, watch: Watch) -> None:
    """So that it is told as finished, then as gone."""
    call = school.call(school.chat_id(ChatKind.GROUP, "G"), watch.now - 3 * DAY)
    heard = len(school.events())
    school.end_group("G")
    night = school.night(SECOND)
    assert night is not None and (night.calls_finished, night.chats_ended) == (1, 2)
    group = school.chat_id(ChatKind.GROUP, "G")
    assert school.events()[heard : heard + 3] == [
        ("CALL_CHANGED", group, call),
        ("CALL_CHANGED", group, call),
        ("CHAT_CHANGED", group, None),
    ]


def test_a_night_with_everything_to_do_that_fails_at_its_end_leaves_nothing(
    school: SmallSchool, watch: Watch
) -> None:
    made_chat(school)
    begin(school, "anna")
    school.call(school.chat_id(ChatKind.GROUP, "G"), watch.now - 3 * DAY)
    school.leave("G", LEARNER, "anna")
    watch.now += DAY
    before, known = dump(school.database), school.known()
    run = {"organization_id": school.id, "job": JOB, "local_date": SECOND, "changes": "{}"}
    with pytest.raises(IntegrityError, match="job_runs"), school.database.transaction(school.id) as tx:
        night = run_night(tx, known, SECOND, clock=watch)
        assert isinstance(night, Night)
        assert (night.calls_finished, night.left, night.commands_released, night.links_dropped) == (1, 1, 2, 1)
        tx.execute(insert(job_runs).values(started_at=watch.now, finished_at=watch.now, **run))
    assert dump(school.database) == before
