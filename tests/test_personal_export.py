"""Is a person given all that is stored of him, and nothing of others beyond what he may read?"""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.storage import Storage
from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import write_zip
from jobs.roster import import_roster
from models.attachments import File, expect_file, keep_file
from models.export import everything
from models.tables.events import audit_entries
from tests.api import Api, Person
from tests.mailing import CLASSMATE, CURATOR, LEARNER, TEACHER, MailSchool, save, send
from tests.school import (
    CLASS_9A,
    CURATOR_9A,
    LEARNER_9A,
    NEXT_DOOR,
    OTHER_LEARNER_9A,
    SCHOOL,
    TEACHER_OF_TWO,
    build_school,
    viewer,
)
from tests.terminal import Run, assert_mistake, run_at

PERSON = OTHER_LEARNER_9A
NAME = "Семёнов Пётр Олегович"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "preau.db"


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    path.parent.mkdir()
    monkeypatch.chdir(path.parent.parent)
    return run_at(path, monkeypatch)


def known_of(api: Api, person: Person) -> dict[str, Any]:
    assert person.viewer is not None
    with api.database.transaction() as tx:
        return everything(tx, person.viewer.organization_id, person.viewer.id)


async def test_mail_is_told_as_he_sees_it(api: Api) -> None:
    school = MailSchool(api)
    pupil, friend, curator, teacher = school(LEARNER), school(CLASSMATE), school(CURATOR), school(TEACHER)
    got = await send(teacher, pupil, cc=[friend], bcc=[curator], subject="A", body="seen")
    blind = await send(teacher, friend, bcc=[pupil, curator], subject="B", body="blind-to-him")
    other = await send(teacher, friend, subject="C", body="not-for-him")
    deleted = await send(teacher, pupil, subject="D", body="he-threw-it-away")
    await pupil.do("trashMessages", messageIds=[deleted])
    await pupil.do("purgeMessages", messageIds=[deleted])
    own = await send(pupil, teacher, bcc=[curator], subject="E", body="his-own")
    draft = await save(pupil, teacher, subject="F", body="his-draft")
    theirs = await save(teacher, pupil, subject="G", body="their-draft")
    known = known_of(api, pupil)
    told = {f"Message_{each['id']}": each for each in known["messages"]}
    assert told.keys() == {got, blind, own, draft}
    assert other not in told and theirs not in told

    def addressed(id_: str) -> set[tuple[str, str]]:
        return {(each["role"], each["user"]["id"]) for each in told[id_]["addressed"]}

    assert addressed(got) == {("TO", pupil.id), ("CC", friend.id)}
    assert addressed(blind) == {("TO", friend.id), ("BCC", pupil.id)}
    assert addressed(own) == {("TO", teacher.id), ("BCC", curator.id)}
    assert told[got]["author"]["id"] == teacher.id and told[got]["author"]["name"]
    whole = json.dumps(known, ensure_ascii=False)
    for secret in ("not-for-him", "their-draft", "he-threw-it-away"):
        assert secret not in whole
    drafts = {int(theirs.partition("_")[2])}
    assert not drafts & {row["message_id"] for row in known["recipients"]}


async def test_a_link_in_progress_gives_no_secrets_away(api: Api) -> None:
    person = api.as_(PERSON)
    begun = await person.do("beginProfileLink", "authorizationUrl")
    known = known_of(api, person)
    (attempt,) = known["link_attempts"]
    assert attempt.keys().isdisjoint({"state", "verifier", "nonce"})
    state = str(begun["authorizationUrl"]).partition("state=")[2].partition("&")[0]
    assert state and state not in json.dumps(known)


async def test_files_come_with_it_and_what_is_missing_is_named(run: Run, path: Path, tmp_path: Path) -> None:
    database = build_school(path)
    storage = Storage(f"file:{tmp_path}/var/attachments")
    person = viewer(database, PERSON, SCHOOL)

    async def pieces() -> Any:
        yield b"picture"

    await storage.write("1/here", pieces())
    for key, name in (("1/here", "Море.png"), ("1/lost", "b.png")):
        with database.transaction() as tx:
            expect_file(tx, person, key)
            keep_file(tx, person, File(key, name, "image/png", 7, "0" * 64))
    result = await asyncio.to_thread(run, "export-person", PERSON, str(tmp_path / "person.zip"))
    assert result.stdout.splitlines()[1:] == ["missing in the storage: files/2 b.png"]
    with zipfile.ZipFile(tmp_path / "person.zip") as archive:
        assert archive.read("files/1 Море.png") == b"picture"


def test_the_readme_is_in_the_language_of_the_school(run: Run, path: Path, tmp_path: Path) -> None:
    build_school(path)
    for login, school, word in ((PERSON, SCHOOL, "Здесь всё"), (LEARNER, NEXT_DOOR, "Voici")):
        to = tmp_path / f"{login}.zip"
        assert run("export-person", login, str(to), "--organization", school).exit_code == 0
        with zipfile.ZipFile(to) as archive:
            assert archive.read("README.txt").decode().startswith(word)


def test_an_export_is_all_that_is_stored_of_a_person_and_nothing_of_others(
    run: Run, path: Path, tmp_path: Path
) -> None:
    database = build_school(path)
    write_zip(GORIZONT, tmp_path / "set.zip")
    import_roster(database, tmp_path / "set.zip")
    to = tmp_path / "person.zip"
    result = run("export-person", PERSON, str(to))
    assert result.exit_code == 0, result.stderr
    assert to.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(io.BytesIO(to.read_bytes())) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert SCHOOL in texts["README.txt"] and NAME in texts["README.txt"]
    (person,) = json.loads(texts["person.json"])
    assert (person["name"], person["login"], person["source_id"]) == (NAME, PERSON, f"user:{PERSON}")
    groups = {each["group"]["name"] for each in json.loads(texts["memberships.json"])}
    assert CLASS_9A in groups
    assert {row["file"] for row in json.loads(texts["roster.json"])} >= {"users", "enrollments"}
    whole = "".join(texts.values())
    for other in (TEACHER_OF_TWO, LEARNER_9A, CURATOR_9A):
        assert other not in whole
    assert_mistake(run("export-person", PERSON, str(to)), "there already")
    with database.transaction() as tx:
        kept = tx.execute(select(audit_entries).where(audit_entries.c.action == "exportPerson")).all()
    assert len(kept) == 1
