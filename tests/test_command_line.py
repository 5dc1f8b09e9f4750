"""Are tokens, policies and nights had at a terminal, and is a mistake told in one line?"""

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import Result

from app.auth import Tokens
from jobs.demo.tilleuls import TILLEULS
from models.actor import Viewer, actor
from models.database import Database, wall_clock
from models.migrate import is_current
from models.policy import CallVisibility, LinkRequirement
from models.tables.chats import ChatKind
from models.tables.events import job_runs
from models.tables.people import users
from schema import schema
from tests import school as cast
from tests.terminal import Run, assert_mistake, run_at, started


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the commands of this test find the database; nothing is there yet."""
    return tmp_path / "var" / "preau.db"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return run_at(path, monkeypatch)


@pytest.fixture
def database(path: Path) -> Database:
    """Both schools, where the commands find them."""
    return cast.build_school(path)


# --------------------------------------------------------------------------------------------- token


def identified(result: Result) -> Viewer:
    """Who the printed token signs in."""
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    identity = Tokens(cast.SECRET).identify(f"Bearer {result.stdout.strip()}", now=wall_clock())
    assert identity is not None
    assert 11.9 * 3600 < identity.expires - wall_clock().timestamp() <= 12 * 3600
    return identity.viewer


def test_token_prints_a_token_and_nothing_else(run: Run, database: Database) -> None:
    assert identified(run("token", cast.CURATOR_9A)) == cast.viewer(database, cast.CURATOR_9A)


def test_a_login_of_several_organizations_needs_the_organization(run: Run, database: Database) -> None:
    assert_mistake(run("token", cast.LIBRARIAN), cast.LIBRARIAN, "--organization", cast.SCHOOL, cast.NEXT_DOOR)
    next_door = cast.viewer(database, cast.LIBRARIAN, cast.NEXT_DOOR)
    assert identified(run("token", cast.LIBRARIAN, "--organization", cast.NEXT_DOOR)) == next_door
    assert identified(run("token", cast.LIBRARIAN, "--organization", TILLEULS.source_id)) == next_door


def test_nobody_gets_no_token(run: Run, database: Database) -> None:
    with database.transaction() as tx:
        gone = update(users).where(users.c.login == cast.SECRETARY).values(deactivated_at=tx.now)
        tx.execute(gone)
    assert_mistake(run("token", "nobody"), "nobody")
    assert_mistake(run("token", cast.SECRETARY), cast.SECRETARY)
    assert_mistake(run("token", cast.CURATOR_9A, "--organization", cast.NEXT_DOOR), cast.CURATOR_9A)
    assert_mistake(run("token", cast.CURATOR_9A, "--organization", "Школа Нигде"), "Школа Нигде")
    assert_mistake(run("token", "\udcff"), "not valid text")


# -------------------------------------------------------------------------------------------- policy


def test_policy_prints_every_knob(run: Run, database: Database) -> None:
    result = run("policy", cast.SCHOOL)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "messagingEnabled=true",
        "lockdown=false",
        "linkRequirement=ACT",
        "conversationKinds=[DIRECT, GROUP]",
        "selfMessages=false",
        "guardianReachesChild=false",
        "reply=ALWAYS",
        "audiencesAsRecipients=false",
        "attachments=true",
        "bodyFormat=TEXT",
        "messageDeletion=NONE",
        "conversationDeletion=false",
        "historyAfterLeaving=true",
        "newsFeed=false",
        "mostRecipients=5000",
        "mostAttachmentBytes=26214400",
        "chatKinds=[TEACHERS, GROUP, PARENTS, SUBGROUP, CUSTOM]",
        "retentionDays=null",
        "callVisibility=CREATED_AND_PUBLISHED",
        "safeguardingPosition=ADMINISTRATOR",
        "reach: TEACHER, STAFF @ORGANIZATION -> TEACHER, STAFF, ADMINISTRATOR",
        "reach: ADMINISTRATOR @ORGANIZATION -> any",
        "reach: TEACHER, CURATOR @CLASS, SUBGROUP -> LEARNER, GUARDIAN",
        "reach: LEARNER, GUARDIAN @CLASS, SUBGROUP -> TEACHER, CURATOR",
        "reach: LEARNER, GUARDIAN @ORGANIZATION -> ADMINISTRATOR",
    ]
    assert "reach: any @ORGANIZATION -> any" in run("policy", TILLEULS.source_id).stdout.splitlines()


def test_policy_changes_knobs_at_once(run: Run, database: Database) -> None:
    viewer, elsewhere = cast.viewer(database, cast.CURATOR_9A), cast.viewer(database, "principale", cast.NEXT_DOOR)
    with database.transaction() as tx:
        before = actor(tx, elsewhere).policy
    knobs = [
        "linkRequirement=JOIN",
        "chatKinds=[GROUP, SUBGROUP]",
        "callVisibility=PUBLISHED_ONLY",
        "lockdown=true",
    ]
    result = run("policy", cast.SCHOOL, *knobs)
    assert result.stdout.splitlines() == knobs
    with database.transaction() as tx:
        policy = actor(tx, viewer).policy
        assert actor(tx, elsewhere).policy == before
    assert policy.link_requirement is LinkRequirement.JOIN
    assert policy.chat_kinds == (ChatKind.GROUP, ChatKind.SUBGROUP)
    assert policy.call_visibility is CallVisibility.PUBLISHED_ONLY
    assert policy.lockdown
    assert set(knobs) < set(run("policy", cast.SCHOOL).stdout.splitlines())


def test_policy_takes_rules_of_reach_and_keeps_each_once(run: Run, database: Database) -> None:
    rule = "{fromPosition: LEARNER, groupKind: CLASS, toPosition: LEARNER}"
    result = run("policy", cast.SCHOOL, f"reach=[{rule}, {rule}]")
    assert result.stdout == "reach: LEARNER @CLASS -> LEARNER\n"
    assert run("policy", cast.SCHOOL, "reach=[]").stdout == "reach: nobody\n"


@pytest.mark.parametrize(
    ("assignment", "word"),
    [
        ("noSuchKnob=true", "noSuchKnob"),
        ("link_requirement=NONE", "link_requirement"),
        ("linkRequirement=MAYBE", "linkRequirement"),
        ("linkRequirement=", "linkRequirement"),
        ("linkRequirement=null", "linkRequirement"),
        ("linkRequirement=$x", "linkRequirement"),
        ("lockdown=yes", "true or false"),
        ("lockdown=1", "true or false"),
        ("lockdown", "KNOB=VALUE"),
        ("chatKinds=[GROUP", "chatKinds"),
        ("chatKinds=[CHOIR]", "chatKinds"),
        ("chatKinds=" + "[" * 5000, "chatKinds"),
        ("reach=[LEARNER]", "reach"),
    ],
)
def test_a_wrong_knob_changes_nothing(
    run: Run, database: Database, path: Path, assignment: str, word: str
) -> None:
    before = cast.dump(cast.url_of(path))
    assert_mistake(run("policy", cast.SCHOOL, "messagingEnabled=false", assignment), word)
    assert cast.dump(cast.url_of(path)) == before


def test_policy_of_an_unknown_organization(run: Run, database: Database) -> None:
    assert_mistake(run("policy", "Школа Нигде", "lockdown=true"), "Школа Нигде")


# ------------------------------------------------------------------------------------------- nightly


def test_a_night_runs_once(run: Run, database: Database, path: Path) -> None:
    first = run("nightly", "--date", "2026-09-12")
    assert first.exit_code == 0
    assert [line.split(":")[0] for line in first.stdout.splitlines()] == [
        f"{cast.SCHOOL}, 2026-09-12",
        f"{cast.NEXT_DOOR}, 2026-09-12",
    ]
    before = cast.dump(cast.url_of(path))
    second = run("nightly", "--date", "2026-09-12")
    assert second.exit_code == 0
    assert second.stdout.startswith("Nothing to do")
    assert cast.dump(cast.url_of(path)) == before


def test_a_night_of_one_organization(run: Run, database: Database) -> None:
    result = run("nightly", "--date", "2026-09-12", "--organization", TILLEULS.source_id)
    assert result.stdout.startswith(f"{cast.NEXT_DOOR}, 2026-09-12:")
    with database.transaction() as tx:
        dates = tx.execute(select(job_runs.c.organization_id, job_runs.c.local_date)).all()
    assert sorted(str(row.local_date) for row in dates) == ["2026-09-10", "2026-09-10", "2026-09-12"]


@pytest.mark.parametrize("date", ["tomorrow", "2026-13-01", "2026-9-1", "20260901", "", "9999-12-31"])
def test_a_night_without_a_date(run: Run, database: Database, path: Path, date: str) -> None:
    before = cast.dump(cast.url_of(path))
    assert_mistake(run("nightly", "--date", date))
    assert cast.dump(cast.url_of(path)) == before


def test_a_night_of_an_unknown_organization(run: Run, database: Database) -> None:
    assert_mistake(run("nightly", "--organization", "Школа Нигде"), "Школа Нигде")


def test_where_there_is_no_school_the_night_has_nothing_to_do(run: Run) -> None:
    assert run("nightly").exit_code == 0


# ------------------------------------------------------------------------------------ the environment


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PREAU_PORT", "eighty"),
        ("PREAU_PORT", "70000"),
        ("PREAU_ENVIRONMENT", "holiday"),
        ("PREAU_HOST", "0.0.0.0"),
        ("PREAU_INTROSPECTION", "perhaps"),
        ("PREAU_MESSENGER_URL", "pigeon:"),
        ("PREAU_DATABASE_URL", "nonsense"),
        ("PREAU_DATABASE_URL", "sqlite://"),
        ("PREAU_DATABASE_URL", "oracle://me:password@somewhere/school"),
    ],
)
def test_a_broken_variable_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert_mistake(run("token", cast.CURATOR_9A), variable)
    assert "password" not in run("token", cast.CURATOR_9A).stderr
    assert not path.exists()


def test_production_needs_a_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREAU_ENVIRONMENT", "production")
    monkeypatch.delenv("PREAU_SECRET")
    assert_mistake(run("nightly"), "PREAU_SECRET")


@pytest.mark.sqlite
def test_what_is_no_database_is_not_opened(run: Run, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("A diary, no database. " * 100)
    assert_mistake(run("token", cast.CURATOR_9A), str(path))
    assert path.read_text().startswith("A diary")


def test_a_database_of_a_newer_program_is_left_alone(run: Run, database: Database, path: Path) -> None:
    with database.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = cast.dump(cast.url_of(path))
    assert_mistake(run("nightly"), database.backend.place, "9999")
    assert cast.dump(cast.url_of(path)) == before


@pytest.mark.parametrize(
    "words",
    [("migrate",), ("nightly",), ("token", "nobody"), ("policy", "Школа Нигде")],
    ids=lambda words: words[0],
)
def test_every_command_brings_the_database_up_to_date(run: Run, path: Path, words: tuple[str, ...]) -> None:
    assert not path.exists()
    run(*words)
    with cast.school_database(cast.url_of(path)).engine.connect() as connection:
        assert is_current(connection)


@pytest.mark.sqlite
def test_commands_wait_for_who_is_writing(run: Run, database: Database, path: Path) -> None:
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.3, writer.execute, ["COMMIT"])
    begun = time.monotonic()
    end.start()
    try:
        assert run("policy", cast.SCHOOL, "lockdown=true").exit_code == 0
    finally:
        end.join()
        writer.close()
    assert time.monotonic() - begun >= 0.3


# ---------------------------------------------------------------------------------------- the process


def test_a_mistake_leaves_the_process_with_1_and_no_traceback(path: Path) -> None:
    process = started(path, "token", "nobody")
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr == "nobody: nobody active has this login in any organization\n"


def test_schema_prints_the_schema(path: Path) -> None:
    process = started(path, "schema")
    assert process.returncode == 0, process.stderr
    assert process.stdout == schema.as_str() + "\n"
    assert not path.exists()


def test_help_and_mistakes_of_usage_need_nothing_heavy() -> None:
    heavy = "[name for name in ('sqlalchemy', 'strawberry', 'aiohttp', 'pydantic') if name in sys.modules]"
    process = subprocess.run(
        [sys.executable, "-c", f"import sys, app.__main__; print({heavy})"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert process.stdout == "[]\n"
