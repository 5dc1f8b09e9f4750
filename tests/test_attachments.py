"""Whose files may a message carry, and what becomes of those that none carries?"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.storage import Storage
from jobs.nightly import keep_nights, run_nights
from jobs.orphans import remove_files
from models.actor import Viewer
from models.attachments import (
    File,
    attach,
    attachments_of,
    check_attachments,
    detach_all,
    expect_file,
    forget_files,
    keep_file,
    visible_attachments,
)
from models.conversations import create_group, send
from models.database import Database, Transaction
from models.errors import Code, Refused
from models.organization import set_policy
from models.tables.conversations import attachments, deliveries
from models.tables.files import loose_files
from tests.filing import POLICY, SECRET, filing, png, small_school
from tests.small_school import MONDAY, SmallSchool, Watch, dump

DAY = timedelta(days=1)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def school(tmp_path: Path, watch: Watch) -> SmallSchool:
    return small_school(tmp_path, watch)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file:{tmp_path}/files")


def upload(school: SmallSchool, login: str, *, byte_size: int = 10, key: str | None = None) -> int:
    """The number of a new upload, as the server leaves it."""
    viewer = Viewer(school.people[login], school.id)
    key = key or Storage.new_key(school.id)
    with school.database.transaction() as tx:
        expect_file(tx, viewer, key)
    with school.database.transaction() as tx:
        return keep_file(tx, viewer, File(key, "a.png", "image/png", byte_size, "0" * 64))


def room(school: SmallSchool, author: str = "ada", *others: str) -> int:
    with school.database.transaction() as tx:
        people = [school.people[login] for login in others or ("bob",)]
        actor = school.actor(tx, author)
        return create_group(tx, actor, title="T", participant_ids=people, idempotency_key=None)


def message(
    school: SmallSchool,
    conversation_id: int,
    files: Sequence[int] = (),
    *,
    author: str = "ada",
    key: str | None = None,
) -> int:
    with school.database.transaction() as tx:
        return send(
            tx,
            school.actor(tx, author),
            conversation_id=conversation_id,
            body="Hello",
            parent_id=None,
            idempotency_key=key,
            attachment_ids=files,
        )


def of_message(school: SmallSchool, message_id: int) -> list[int]:
    """Its attachments, in order."""
    with school.database.engine.connect() as connection:
        wanted = select(attachments.c.message_id, attachments.c.id, attachments.c.place)
        rows = connection.execute(wanted.where(attachments.c.message_id == message_id)).all()
        found = connection.execute(
            attachments_of(attachments.c.message_id).where(attachments.c.message_id == message_id)
        )
        assert sorted(row.place for row in rows) == list(range(len(rows)))
        return [row.id for row in found]


def refused(
    school: SmallSchool, code: Code, conversation_id: int, files: Sequence[int], login: str = "ada"
) -> None:
    """The message is refused with its files; nothing of it is left."""
    before = dump(school.database)
    with pytest.raises(Refused) as refusal:
        message(school, conversation_id, files, author=login)
    assert refusal.value.code is code
    assert refusal.value.field == (None if code in (Code.NOT_FOUND, Code.KIND_NOT_OFFERED) else "attachmentIds")
    assert dump(school.database) == before


def seen(school: SmallSchool, login: str) -> list[int]:
    with school.database.engine.connect() as connection:
        rows = connection.execute(visible_attachments(Viewer(school.people[login], school.id)))
        return sorted(row.id for row in rows)


# ------------------------------------------------------------------------------------------ attached


def test_E10_M8_a_message_carries_files_in_the_order_they_were_given(school: SmallSchool) -> None:
    files = [upload(school, "ada") for _ in range(3)]
    chosen = [files[2], files[0], files[1], files[0]]
    assert of_message(school, message(school, room(school), chosen)) == [files[2], files[0], files[1]]


def test_a_file_belongs_to_one_message(school: SmallSchool) -> None:
    there, file = room(school), upload(school, "ada")
    first = message(school, there, [file])
    refused(school, Code.NOT_FOUND, there, [file])
    assert of_message(school, first) == [file]


def test_only_ones_own_uploads_can_be_sent(school: SmallSchool) -> None:
    there, own, other = room(school), upload(school, "ada"), upload(school, "bob")
    for files in ([other], [own, other], [own, 999], [0], [-1], [10**17]):
        refused(school, Code.NOT_FOUND, there, files)
    assert seen(school, "ada") == [own]
    message(school, there, [own])


def test_nothing_comes_from_another_school(school: SmallSchool) -> None:
    next_door = SmallSchool(school.database, "Next door")
    next_door.person("zoe")
    with school.database.transaction() as tx:
        set_policy(tx, next_door.id, "EPOS_SCHOOL", POLICY)
    refused(school, Code.NOT_FOUND, room(school), [upload(next_door, "zoe")])


def test_a_repeated_send_is_the_same_message_with_the_same_files(school: SmallSchool) -> None:
    there, files = room(school), [upload(school, "ada"), upload(school, "ada")]
    first = message(school, there, files, key="k")
    before = dump(school.database)
    assert message(school, there, files, key="k") == first
    assert dump(school.database) == before
    with pytest.raises(Refused) as refusal:
        message(school, there, files[:1], key="k")
    assert refusal.value.code is Code.IDEMPOTENCY_CONFLICT


def test_twenty_files_of_the_policys_size_and_no_more(school: SmallSchool) -> None:
    there = room(school)
    most = POLICY.most_attachment_bytes // 20
    files = [upload(school, "ada", byte_size=most) for _ in range(20)]
    small = upload(school, "ada", byte_size=1)
    refused(school, Code.TOO_LARGE, there, [*files[:19], small, files[19]])
    refused(school, Code.INVALID_INPUT, there, [small] * 101)
    large = upload(school, "ada", byte_size=most + 1)
    refused(school, Code.TOO_LARGE, there, [*files[:19], large])
    assert len(of_message(school, message(school, there, files))) == 20


def test_where_messages_carry_no_files_none_is_sent(school: SmallSchool) -> None:
    there, file, other = room(school), upload(school, "ada"), upload(school, "bob")
    with school.database.transaction() as tx:
        set_policy(tx, school.id, "EPOS_SCHOOL", POLICY.with_knobs({"attachments": False}))
    refused(school, Code.KIND_NOT_OFFERED, there, [file])
    refused(school, Code.NOT_FOUND, there, [other])
    message(school, there)
    with pytest.raises(Refused):
        upload(school, "ada")


async def test_two_messages_that_want_one_file_do_not_both_get_it(school: SmallSchool) -> None:
    there, file = room(school), upload(school, "ada")
    await school.database.start()

    def job(tx: Transaction) -> int:
        actor = school.actor(tx, "ada")
        return send(
            tx, actor, conversation_id=there, body="x", parent_id=None, idempotency_key=None, attachment_ids=[file]
        )

    ended = await asyncio.gather(*(school.database.write(job) for _ in range(8)), return_exceptions=True)
    await school.database.stop()
    sent = [each for each in ended if isinstance(each, int)]
    lost = [each.code for each in ended if isinstance(each, Refused)]
    assert (len(sent), lost) == (1, [Code.NOT_FOUND] * 7)
    assert of_message(school, sent[0]) == [file]


# -------------------------------------------------------------------------------------------- drafts


def test_a_draft_that_is_saved_again_has_the_files_of_the_last_time(school: SmallSchool) -> None:
    """What `attach` promises a draft; the message stands for one."""
    draft = message(school, room(school))
    files = [upload(school, "ada") for _ in range(4)]

    def save(*chosen: int) -> None:
        with school.database.transaction() as tx:
            attach(tx, school.actor(tx, "ada"), draft, chosen)

    save(files[0], files[1], files[2])
    save(files[2], files[3], files[0])
    assert of_message(school, draft) == [files[2], files[3], files[0]]
    assert seen(school, "ada") == files
    assert seen(school, "bob") == sorted([files[0], files[2], files[3]])
    save()
    assert of_message(school, draft) == []
    save(*files)
    with school.database.transaction() as tx:
        detach_all(tx, draft)
    assert of_message(school, draft) == []
    assert seen(school, "bob") == []


def test_files_are_checked_without_being_taken(school: SmallSchool) -> None:
    own, other = upload(school, "ada"), upload(school, "bob")
    sent = message(school, room(school), [upload(school, "ada")])
    (taken,) = of_message(school, sent)
    before = dump(school.database)
    with school.database.transaction() as tx:
        actor = school.actor(tx, "ada")
        check_attachments(tx, actor, [])
        check_attachments(tx, actor, [own])
        check_attachments(tx, actor, [own, taken], message_id=sent)
        for wrong in ([other], [taken]):
            with pytest.raises(Refused):
                check_attachments(tx, actor, wrong)
    assert dump(school.database) == before


# ---------------------------------------------------------------------------------------------- seen


def test_who_sees_the_message_sees_its_files(school: SmallSchool) -> None:
    files = [upload(school, "ada"), upload(school, "ada")]
    waiting = upload(school, "ada")
    sent = message(school, room(school), files)
    assert (seen(school, "ada"), seen(school, "bob"), seen(school, "cleo")) == ([*files, waiting], files, [])
    with school.database.transaction() as tx:
        tx.execute(
            update(deliveries)
            .where(deliveries.c.message_id == sent, deliveries.c.user_id == school.people["bob"])
            .values(trashed_at=tx.now)
        )
    assert seen(school, "bob") == files, "what lies in the trash can be read"
    with school.database.transaction() as tx:
        tx.execute(update(deliveries).where(deliveries.c.message_id == sent).values(deleted_at=tx.now))
    assert (seen(school, "ada"), seen(school, "bob")) == ([waiting], [])


async def test_a_page_of_messages_with_files_is_one_statement(tmp_path: Path) -> None:
    async with filing(tmp_path) as files:
        there = await files.room("ada", "bob")
        for _ in range(3):
            await files.send("ada", there, await files.upload("ada"), await files.upload("ada"))
        statements: list[str] = []
        read = files.database.read

        async def counted(sql: str, parameters: Sequence[object]) -> list[Sequence[object]]:
            statements.append(sql)
            return await read(sql, parameters)

        files.database.read = counted  # type: ignore[method-assign]
        selection = "messages { nodes { attachments { id url } } }"
        asked = f"query($id: ID!) {{ node(id: $id) {{ ... on Conversation {{ {selection} }} }} }}"
        shown = (await files.ask("bob", asked, id=there))["node"]["messages"]["nodes"]
        assert [[each["id"] for each in node["attachments"]] for node in shown] == [
            ["Attachment_1", "Attachment_2"],
            ["Attachment_3", "Attachment_4"],
            ["Attachment_5", "Attachment_6"],
        ]
        assert len(statements) == 1


async def test_a_refused_file_is_named_to_the_client(tmp_path: Path) -> None:
    async with filing(tmp_path) as files:
        there = await files.room("ada", "bob")
        given = {"conversationId": there, "body": "Hello"}
        theirs = await files.upload("bob")
        said = await files.do("ada", "sendMessage", **given, attachmentIds=[theirs])
        assert (said["__typename"], said["code"]) == ("NotFoundError", "NOT_FOUND")
        said = await files.do("ada", "sendMessage", **given, attachmentIds=["User_1"])
        assert said["code"] == "NOT_FOUND"
        large = [await files.upload("ada", b"a" * 160_000, "text/plain") for _ in range(2)]
        said = await files.do("ada", "sendMessage", **given, attachmentIds=large)
        assert (said["__typename"], said["code"], said["field"]) == (
            "InvalidInputError",
            "TOO_LARGE",
            "attachmentIds",
        )
        await files.send("ada", there, large[0])


# ------------------------------------------------------------------------------------ what none wants


async def stored(storage: Storage, key: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield png()

    await storage.write(key, pieces())


def whole(tmp_path: Path) -> list[str]:
    return sorted(
        str(path.relative_to(tmp_path / "files")) for path in (tmp_path / "files").rglob("*") if path.is_file()
    )


def loose(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return sorted(connection.execute(select(loose_files.c.storage_key)).scalars())


async def test_the_night_removes_uploads_that_have_waited_for_a_day(
    school: SmallSchool, storage: Storage, tmp_path: Path, watch: Watch
) -> None:
    there = room(school)
    sent, waiting = upload(school, "ada", key="1/sent"), upload(school, "ada", key="1/waiting")
    sent_in = message(school, there, [sent])
    watch.now += timedelta(hours=23)
    fresh = upload(school, "ada", key="1/fresh")
    for key in ("1/sent", "1/waiting", "1/fresh"):
        await stored(storage, key)

    watch.now = MONDAY + DAY
    (night,) = run_nights(school.database)
    assert night.uploads_dropped == 0, "a day is not more than a day"
    assert (remove_files(school.database, storage), len(whole(tmp_path))) == (0, 3)

    watch.now = MONDAY + DAY + timedelta(seconds=1)
    (night,) = run_nights(school.database, local_date=date(2026, 9, 20))
    assert night.uploads_dropped == 1
    assert "uploads dropped: 1" in night.line()
    assert seen(school, "ada") == sorted([sent, fresh])
    assert waiting not in seen(school, "ada")
    assert loose(school.database) == ["1/waiting"], "the file goes after the night's transaction"
    assert whole(tmp_path) == ["1/fresh", "1/sent", "1/waiting"]

    assert remove_files(school.database, storage) == 1
    assert (whole(tmp_path), loose(school.database)) == (["1/fresh", "1/sent"], [])
    assert of_message(school, sent_in) == [sent]
    before = dump(school.database)
    assert remove_files(school.database, storage) == 0
    assert dump(school.database) == before


def test_what_is_dropped_cannot_be_sent_any_more(school: SmallSchool, watch: Watch) -> None:
    there, file = room(school), upload(school, "ada")
    watch.now += 2 * DAY
    run_nights(school.database)
    refused(school, Code.NOT_FOUND, there, [file])


async def test_each_night_is_for_its_own_school(school: SmallSchool, watch: Watch) -> None:
    next_door = SmallSchool(school.database, "Next door")
    next_door.person("zoe")
    with school.database.transaction() as tx:
        set_policy(tx, next_door.id, "EPOS_SCHOOL", POLICY)
    upload(school, "ada")
    theirs = upload(next_door, "zoe")
    watch.now += 2 * DAY
    run_nights(school.database, organization="School")
    assert (seen(school, "ada"), seen(next_door, "zoe")) == ([], [theirs])


async def test_what_the_storage_could_not_remove_goes_another_night(
    school: SmallSchool, storage: Storage, tmp_path: Path, watch: Watch
) -> None:
    upload(school, "ada", key="1/waiting")
    await stored(storage, "1/waiting")
    watch.now += 2 * DAY
    run_nights(school.database)

    class Down:
        def remove(self, keys: Sequence[str]) -> None:
            raise OSError(f"down, with {len(keys)} files")

    with pytest.raises(OSError, match="down"):
        remove_files(school.database, Down())
    assert (whole(tmp_path), loose(school.database)) == (["1/waiting"], ["1/waiting"])
    assert run_nights(school.database) == []
    assert remove_files(school.database, storage) == 1
    assert (whole(tmp_path), loose(school.database)) == ([], [])


async def test_what_a_broken_upload_left_goes_a_day_later(
    school: SmallSchool, storage: Storage, tmp_path: Path, watch: Watch
) -> None:
    """As a server leaves it that was killed: before the file was there, in the middle, and at the end."""
    viewer = Viewer(school.people["ada"], school.id)
    for key in ("1/nothing", "1/half", "1/whole"):
        with school.database.transaction() as tx:
            expect_file(tx, viewer, key)
    await stored(storage, "1/whole")
    await stored(storage, "1/half")
    (tmp_path / "files/1/half").rename(tmp_path / "files/1/half#1")
    watch.now += DAY - timedelta(seconds=1)
    assert remove_files(school.database, storage) == 0
    watch.now += timedelta(seconds=1)
    assert remove_files(school.database, storage) == 3
    assert (whole(tmp_path), loose(school.database)) == ([], [])


def test_a_file_that_comes_after_its_place_was_cleared_is_not_kept(school: SmallSchool, watch: Watch) -> None:
    viewer = Viewer(school.people["ada"], school.id)
    with school.database.transaction() as tx:
        expect_file(tx, viewer, "1/late")
    with school.database.transaction() as tx:
        forget_files(tx, ["1/late"])
    with pytest.raises(Refused), school.database.transaction() as tx:
        keep_file(tx, viewer, File("1/late", "a", "text/plain", 1, "0" * 64))
    assert seen(school, "ada") == []


async def test_the_server_removes_them_at_midnight(tmp_path: Path) -> None:
    async with filing(tmp_path) as files:
        kept, _ = await files.upload("ada"), await files.upload("ada")
        await files.send("ada", await files.room("ada", "bob"), kept)
        storage = Storage(f"file:{files.folder}")
        keeper = asyncio.create_task(
            keep_nights(files.database, storage=storage, look_every=timedelta(milliseconds=10))
        )
        await asyncio.sleep(0.05)
        assert len(files.files()) == 2
        files.watch.now += 2 * DAY
        async with asyncio.timeout(5):
            while len(files.files()) > 1 or files.loose():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        assert [f"Attachment_{row.id}" for row in files.rows()] == [kept]
        assert files.files() == [files.rows()[0].storage_key]


async def test_the_command_removes_them(
    school: SmallSchool, storage: Storage, tmp_path: Path, watch: Watch
) -> None:
    upload(school, "ada", key="1/waiting")
    await stored(storage, "1/waiting")
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app", "nightly"],
        env={
            "PREAU_DATABASE_URL": school.database.url,
            "PREAU_SECRET": SECRET,
            "PREAU_STORAGE_URL": f"file:{tmp_path}/files",
        },
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"uploads dropped: 1" in ran.stdout  # the clock on the wall is far ahead of the school's
    assert (whole(tmp_path), loose(school.database)) == ([], [])


async def test_a_storage_writes_reads_and_forgets(storage: Storage, tmp_path: Path) -> None:
    await stored(storage, "1/a")
    assert b"".join([piece async for piece in await storage.read("1/a", 1, 5)]) == png()[1:5]
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700
    storage.remove(["1/none", "1/a", "2/none"])
    assert whole(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        await storage.read("1/a", 0, 1)


async def test_a_writing_that_fails_leaves_no_file(storage: Storage, tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"a" * 1024**2
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        await storage.write("1/a", pieces())
    assert whole(tmp_path) == []
