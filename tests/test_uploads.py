"""Does a file come in whole, from who may send it, and go out to who sees its message?"""

import asyncio
import gzip
import hashlib
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientError, ClientSession

import app.uploads
from app.settings import Settings
from app.storage import PART, Storage
from jobs.nightly import run_nights
from jobs.orphans import remove_files
from models.database import wall_clock
from models.policy import Policy
from resolvers.signer import Signer
from tests.filing import ALLOWED, POLICY, SECRET, Filing, filing, png, small_school, wav, zipped
from tests.running import started
from tests.small_school import MONDAY, Watch, database_at, dump

DAY = timedelta(days=1)
CYRILLIC = "Расписание на сентябрь.png"


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Filing]:
    async with filing(tmp_path) as served:
        yield served


@contextmanager
def nothing_changes(files: Filing) -> Iterator[None]:
    """No row, no file."""
    before = (dump(files.database), files.files())
    yield
    assert (dump(files.database), files.files()) == before


async def refused(files: Filing, status: int, code: str, *given: Any, **more: Any) -> None:
    """The upload is refused with a reason, and nothing is left of it."""
    with nothing_changes(files):
        found, said = await files.post("ada", *given, **more)
    assert (found, said["code"]) == (status, code)
    assert set(said) == {"code", "reason"}
    assert said["reason"]


# --------------------------------------------------------------------------------------- what comes in


async def test_M8_a_file_comes_in_and_goes_out_as_it_was(files: Filing) -> None:
    content = wav(14.0)
    attachment = await files.upload("ada", content, "audio/wav", name=CYRILLIC)
    (row,) = files.rows()
    assert (row.name, row.content_type, row.byte_size) == (CYRILLIC, "audio/wav", len(content))
    assert row.digest == hashlib.sha256(content).hexdigest()
    assert (row.message_id, row.created_at) == (None, MONDAY)
    assert files.files() == [row.storage_key]
    assert (files.folder / row.storage_key).read_bytes() == content
    assert files.loose() == []

    message = await files.send("ada", await files.room("ada", "bob"), attachment)
    asked = (
        "query($id: ID!) { node(id: $id) { ... on Message { attachments { id name contentType byteSize url } } } }"
    )
    (shown,) = (await files.ask("bob", asked, id=message))["node"]["attachments"]
    url = shown.pop("url")
    assert shown == {"id": attachment, "name": CYRILLIC, "contentType": "audio/wav", "byteSize": len(content)}
    assert url.startswith("https://school.example/attachments/")
    answer, body = await files.get(here(files, url))
    assert (answer.status, answer.content_type, body) == (200, "audio/wav", content)


async def test_a_picture_is_kept_without_what_it_tells_besides(files: Filing) -> None:
    await files.upload("ada", png(90_000, tail=b"GPSLatitude 56.8389" * 5000))
    (row,) = files.rows()
    kept = (files.folder / row.storage_key).read_bytes()
    assert kept == png(90_000)
    assert (row.byte_size, row.digest) == (len(kept), hashlib.sha256(kept).hexdigest())


async def test_the_person_of_the_token_is_the_uploader(files: Filing) -> None:
    for login in ("ada", "bob"):
        await files.upload(login)
    assert [row.uploader_id for row in files.rows()] == [files.school.people["ada"], files.school.people["bob"]]


async def test_what_is_kept_is_what_it_is(files: Filing) -> None:
    await files.upload("ada", wav(), "application/octet-stream")
    await files.upload("ada", b"a;b", "text/csv; charset=utf-8")
    assert [row.content_type for row in files.rows()] == ["audio/wav", "text/csv"]


async def test_what_a_browser_could_run_is_only_bytes_to_save(files: Filing) -> None:
    content = b"<!DOCTYPE html><script>alert(1)</script>"
    attachment = await files.upload("ada", content, "text/html", name="page.html")
    assert files.rows()[0].content_type == "application/octet-stream"
    answer, body = await files.get(files.at(attachment), "ada")
    assert (answer.content_type, body) == ("application/octet-stream", content)
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


async def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(files: Filing) -> None:
    await refused(files, 415, "FALSE_TYPE", b"<html><script>alert(1)</script>", "image/png")
    await refused(files, 415, "FALSE_TYPE", png(), "png")
    await refused(files, 415, "FORBIDDEN_TYPE", b"MZ\x90\x00" + bytes(60), "image/png")


# ------------------------------------------------------------------------------------------- its name

NAMES = {
    CYRILLIC: CYRILLIC,
    "../../etc/passwd": "passwd",
    "C:\\Users\\Ada\\Été.png": "Été.png",
    "E\u0301te\u0301.png": "Été.png",
    "  a b.png ": "a b.png",
    "photo\u202egnp.exe": "photognp.exe",
    'say "hi"; filename=x.html': 'say "hi"; filename=x.html',
    "100%.png": "100%.png",
    "?#&=+.png": "?#&=+.png",
    ".profile": ".profile",
    "👩\u200d🏫.png": "👩\u200d🏫.png",
    "x" * 200: "x" * 200,
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_cleaned_and_comes_back(files: Filing, name: str) -> None:
    attachment = await files.upload("ada", name=name)
    assert [row.name for row in files.rows()] == [NAMES[name]]
    url = await files.url("ada", attachment)
    assert url is not None
    assert url.isascii()
    answer, body = await files.get(here(files, url))
    assert (answer.status, body) == (200, png())
    disposition = answer.content_disposition
    assert disposition is not None
    assert (disposition.type, disposition.filename) == ("inline", NAMES[name])


@pytest.mark.parametrize(
    "name", ["", "  ", ".", "..", "a/..", "a/", "x" * 201, "a\nb", "a\x00b", "\x7f", "a\u2028b", "\u202e"]
)
async def test_a_name_that_is_none_is_refused(files: Filing, name: str) -> None:
    await refused(files, 400, "INVALID_INPUT", png(), name=name)


async def test_a_name_in_no_encoding_is_no_fault_of_ours(files: Filing) -> None:
    async with files.client.post(
        f"{files.address}/attachments?name=%ff%fe.png",
        data=png(),
        headers={**files.token("ada"), "Content-Type": "image/png"},
    ) as answer:
        assert answer.status in (201, 400)
    assert (await files.post("ada", png()))[0] == 201


# -------------------------------------------------------------------------------------- who may not


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x.y.z", "Basic eDp5"])
async def test_nobody_uploads_without_a_token(files: Filing, header: str | None) -> None:
    with nothing_changes(files):
        status, said = await files.post(None, png(), **({"Authorization": header} if header else {}))
    assert (status, said["code"]) == (401, "UNAUTHENTICATED")


async def test_who_has_gone_uploads_nothing(files: Filing) -> None:
    headers = files.token("ada")
    files.school.end_person("ada")
    with nothing_changes(files):
        status, said = await files.post(None, png(), **headers)
    assert (status, said["code"]) == (401, "UNAUTHENTICATED")
    files.watch.now += timedelta(hours=12)
    assert (await files.post(None, png(), **files.token("bob")))[0] == 201


@pytest.mark.parametrize(
    ("knobs", "code"),
    [({"attachments": False}, "KIND_NOT_OFFERED"), ({"messagingEnabled": False}, "MESSAGING_DISABLED")],
)
async def test_where_messages_carry_no_files_none_comes_in(tmp_path: Path, knobs: Any, code: str) -> None:
    async with filing(tmp_path, policy=POLICY.with_knobs(knobs)) as files:
        await refused(files, 403, code, png())


async def test_the_reason_is_in_the_language_of_the_person(files: Filing) -> None:
    files.school.change(locale="ru")
    _, said = await files.post("ada", png(), "image/jpeg")
    assert said["reason"] == "Содержимое файла не соответствует указанному типу."
    _, said = await files.post("ada", bytes(POLICY.most_attachment_bytes + 1), None)
    assert said["reason"] == "Это больше, чем разрешено в вашей организации."


# ----------------------------------------------------------------------------------- its size, and its end


async def test_a_file_is_as_large_as_the_policy_admits_and_no_larger(files: Filing) -> None:
    most = POLICY.most_attachment_bytes
    await files.upload("ada", b"a" * most, "text/plain")
    await refused(files, 413, "TOO_LARGE", b"a" * (most + 1), "text/plain")


async def test_a_file_that_does_not_say_its_size_is_counted(files: Filing) -> None:
    async def sent(pieces: int) -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield b"a" * 10_000

    assert (await files.post("ada", sent(30), "text/plain"))[0] == 201
    await refused(files, 413, "TOO_LARGE", sent(31), "text/plain")
    await refused(files, 413, "TOO_LARGE", sent(3_000), "text/plain")


async def test_an_empty_file_is_none(files: Filing) -> None:
    await refused(files, 400, "EMPTY_FILE", b"", "text/plain")


async def test_a_file_comes_as_it_is(files: Filing) -> None:
    packed = gzip.compress(b"a" * 1000)
    await refused(files, 415, "BAD_REQUEST", packed, "text/plain", **{"Content-Encoding": "gzip"})


HEAD = "POST /attachments?name=a.txt HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: text/plain\r\n"


async def connect(files: Filing, head: str, content: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the beginning of an upload has been sent."""
    parts = urlsplit(files.address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write((HEAD.format(files.token("ada")["Authorization"]) + head).encode() + b"\r\n" + content)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("sent", [10, 200_000])
@pytest.mark.parametrize("head", ["Content-Length: 290000\r\n", "Transfer-Encoding: chunked\r\n"])
async def test_an_upload_that_breaks_off_leaves_nothing(files: Filing, head: str, sent: int) -> None:
    before = dump(files.database)
    content = b"a" * sent
    if "chunked" in head:
        content = f"{sent:x}\r\n".encode() + content + b"\r\n"
    _, writer = await connect(files, head, content)
    if sent > 10:
        await becomes(lambda: len(files.loose()) == 1)
    else:
        await asyncio.sleep(0.05)
    writer.transport.abort()
    await becomes(lambda: dump(files.database) == before)
    files.assert_nothing_is_left()


@pytest.mark.parametrize("sent", [10, 200_000])
async def test_an_upload_that_stands_still_is_cut(
    files: Filing, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.uploads, "SILENCE", 0.1)
    reader, writer = await connect(files, "Content-Length: 290000\r\n", b"a" * sent)
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
        assert b'"TIMEOUT"' in await reader.readuntil(b"}")
    files.assert_nothing_is_left()
    writer.close()


async def test_an_upload_that_crawls_is_cut(files: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.uploads, "LONGEST", 0.3)
    reader, writer = await connect(files, "Content-Length: 290000\r\n", b"a" * 9_000)
    async with asyncio.timeout(5):
        answer = asyncio.create_task(reader.readline())
        while not answer.done():
            writer.write(b"a")
            await asyncio.sleep(0.02)
        assert b" 408 " in await answer
    await becomes(lambda: files.loose() == [])
    files.assert_nothing_is_left()
    writer.close()


async def test_a_storage_that_fails_is_told_and_tidied_up_later(files: Filing) -> None:
    files.folder.parent.mkdir(exist_ok=True)
    files.folder.write_text("in the way")
    status, said = await files.post("ada", png())
    assert (status, said["code"]) == (503, "UNAVAILABLE")
    assert files.rows() == []
    files.folder.unlink()
    assert (await files.post("ada", png()))[0] == 201
    files.watch.now += DAY
    remove_files(files.database, Storage(f"file:{files.folder}"))
    assert (len(files.rows()), len(files.files()), files.loose()) == (1, 1, [])


async def test_who_goes_while_sending_leaves_nothing(files: Filing) -> None:
    before = files.rows()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a" * 10_000
        await becomes(lambda: len(files.loose()) == 1)
        files.school.end_person("ada")
        yield b"a" * 10_000

    status, said = await files.post("ada", slowly(), "text/plain")
    assert (status, said["code"]) == (401, "UNAUTHENTICATED")
    assert files.rows() == before
    files.assert_nothing_is_left()


async def test_many_files_come_in_at_once(files: Filing) -> None:
    contents = [png(width) for width in range(1, 41)]
    people = ["ada", "bob"] * 20
    found = await asyncio.gather(
        *(files.upload(login, content) for login, content in zip(people, contents, strict=True))
    )
    assert len(set(found)) == 40
    for login, content, attachment in zip(people, contents, found, strict=True):
        _, body = await files.get(files.at(attachment), login)
        assert body == content
    assert (len(files.rows()), len(files.files()), files.loose()) == (40, 40, [])


# ---------------------------------------------------------------------------------- who may fetch it


async def attached(files: Filing, *, content: bytes | None = None) -> tuple[str, str]:
    """The ids of an attachment that ada has sent to bob, and of its message."""
    attachment = await files.upload("ada", content)
    message = await files.send("ada", await files.room("ada", "bob"), attachment)
    return attachment, message


def here(files: Filing, url: str) -> str:
    """An address of the school's as the test reaches it."""
    return url.replace("https://school.example", files.address)


async def assert_nothing_there(files: Filing, url: str, login: str | None = None) -> None:
    """The same answer as for what has never been."""
    never, said = await files.get(files.at("Attachment_999"), "ada")
    answer, body = await files.get(url, login)
    assert (answer.status, never.status, body) == (404, 404, said)
    of_its_own = {"Date": "", "X-Request-ID": ""}
    assert {**answer.headers, **of_its_own} == {**never.headers, **of_its_own}


async def test_who_sees_the_message_has_its_files_and_nobody_else(files: Filing) -> None:
    attachment, _ = await attached(files)
    for login in ("ada", "bob"):
        url = await files.url(login, attachment)
        assert url is not None
        assert (await files.get(here(files, url)))[1] == png()
        assert (await files.get(files.at(attachment), login))[1] == png()
    assert await files.url("cleo", attachment) is None
    await assert_nothing_there(files, files.at(attachment), "cleo")
    await assert_nothing_there(files, files.at(attachment))
    for other in ("Message_1", "Attachment_0", "Attachment_01", "1", "Attachment_99999999999999999999"):
        await assert_nothing_there(files, files.at(other), "ada")


async def test_an_upload_that_waits_is_seen_by_its_uploader_alone(files: Filing) -> None:
    attachment = await files.upload("ada")
    url = await files.url("ada", attachment)
    assert url is not None
    assert (await files.get(here(files, url)))[1] == png()
    assert await files.url("bob", attachment) is None
    await assert_nothing_there(files, files.at(attachment), "bob")


async def test_who_has_deleted_the_message_has_lost_its_files(files: Filing) -> None:
    attachment, message = await attached(files)
    urls = {login: here(files, str(await files.url(login, attachment))) for login in ("ada", "bob")}
    await files.do("bob", "deleteMessages", messageIds=[message])
    await assert_nothing_there(files, urls["bob"])
    await assert_nothing_there(files, files.at(attachment), "bob")
    assert await files.url("bob", attachment) is None
    assert (await files.get(urls["ada"]))[1] == png()
    await files.do("ada", "deleteMessages", messageIds=[message])
    await assert_nothing_there(files, urls["ada"])
    await assert_nothing_there(files, files.at(attachment), "ada")


async def test_who_has_gone_has_lost_the_files(files: Filing) -> None:
    attachment, _ = await attached(files)
    url = here(files, str(await files.url("bob", attachment)))
    files.school.end_person("bob")
    await assert_nothing_there(files, url)
    await assert_nothing_there(files, files.at(attachment), "bob")


async def test_an_address_holds_for_ten_minutes(files: Filing) -> None:
    attachment, _ = await attached(files)
    url = here(files, str(await files.url("bob", attachment)))
    files.watch.now += timedelta(minutes=9, seconds=59)
    assert (await files.get(url))[0].status == 200
    files.watch.now += timedelta(seconds=1)
    await assert_nothing_there(files, url)
    assert (await files.get(url, "bob"))[0].status == 200, "the token is as good as ever"
    assert (await files.get(here(files, str(await files.url("bob", attachment)))))[0].status == 200


async def test_a_signature_is_for_one_person_and_one_file(files: Filing) -> None:
    attachment, _ = await attached(files)
    other = await files.upload("ada", png(2))
    url = here(files, str(await files.url("bob", attachment)))
    address, _, signature = url.partition("?signature=")
    organization, person, until, mark = signature.split("-", 3)
    for forged in (
        f"{organization}-{files.school.people['ada']}-{until}-{mark}",
        f"{organization}-{person}-{int(until) + 600}-{mark}",
        f"2-{person}-{until}-{mark}",
        f"{organization}-{person}-{until}-{'A' * 43}",
        f"{organization}-{person}-{until}-{mark[:-1]}",
        f"{organization}-{person}-{until}-",
        f"{signature}=",
        f"{signature}%00",
        "",
        "x" * 5_000,
    ):
        await assert_nothing_there(files, f"{address}?signature={forged}")
    await assert_nothing_there(files, f"{files.at(other)}?signature={signature}")
    own = here(files, str(await files.url("ada", other))).partition("?")[2]
    await assert_nothing_there(files, f"{address}?{own}")
    assert (await files.get(url))[0].status == 200


async def test_another_server_has_other_signatures(files: Filing, tmp_path: Path) -> None:
    attachment = await files.upload("ada")
    url = str(await files.url("ada", attachment))
    theirs = Signer("y" * 40, public_url=files.address, clock=files.watch)
    viewer = theirs.viewer(url.partition("=")[2], 1)
    assert viewer is None
    ours = Signer(SECRET, public_url=files.address, clock=files.watch).viewer(url.partition("=")[2], 1)
    assert ours is not None
    forged = theirs.address(ours, 1, "a.png")
    await assert_nothing_there(files, forged)


# ------------------------------------------------------------------------------------ how it goes out


async def test_a_browser_is_told_to_trust_nothing(files: Filing) -> None:
    attachment = await files.upload("ada")
    answer, _ = await files.get(files.at(attachment), "ada")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox allow-same-origin")
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    attachment = await files.upload("ada", b"hello", "text/plain")
    answer, _ = await files.get(files.at(attachment), "ada")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


@pytest.mark.parametrize(
    ("content", "said", "way"),
    [
        (png(), "image/png", "inline"),
        (wav(), "audio/wav", "inline"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", "attachment"),
        (b"hello", "text/plain", "attachment"),
        (zipped("a"), "application/zip", "attachment"),
        (b"II*\x00\x08\x00\x00\x00", "image/tiff", "attachment"),
    ],
)
async def test_only_what_is_safe_is_shown(files: Filing, content: bytes, said: str, way: str) -> None:
    attachment = await files.upload("ada", content, said)
    answer, _ = await files.get(files.at(attachment), "ada")
    assert answer.headers["Content-Disposition"].partition(";")[0] == way


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, slice(None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=100000-", 206, slice(100_000, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=10-999999999", 206, slice(10, None)),
        ("bytes=999999999-", 416, slice(0, 0)),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("pages=1-2", 200, slice(None)),
    ],
)
async def test_a_player_fetches_a_part(files: Filing, asked: str, status: int, part: slice) -> None:
    content = wav(10)
    attachment = await files.upload("ada", content, "audio/wav")
    answer, body = await files.get(files.at(attachment), "ada", Range=asked)
    assert (answer.status, body) == (status, content[part])
    assert answer.headers["Accept-Ranges"] == "bytes"
    start, end, _ = part.indices(len(content))
    told = {206: f"bytes {start}-{end - 1}/{len(content)}", 416: f"bytes */{len(content)}"}
    assert answer.headers.get("Content-Range") == told.get(status)


async def test_a_part_of_another_file_is_not_mixed_in(files: Filing) -> None:
    attachment = await files.upload("ada")
    answer, _ = await files.get(files.at(attachment), "ada")
    tag = answer.headers["ETag"]
    for known, status in ((tag, 206), ('"other"', 200)):
        answer, _ = await files.get(files.at(attachment), "ada", Range="bytes=1-2", **{"If-Range": known})
        assert answer.status == status


async def test_a_copy_is_shown_again_only_while_it_may_be(files: Filing) -> None:
    attachment, message = await attached(files)
    url = here(files, str(await files.url("bob", attachment)))
    answer, _ = await files.get(url)
    known = {"If-None-Match": answer.headers["ETag"]}
    answer, body = await files.get(url, **known)
    assert (answer.status, body) == (304, b"")
    await files.do("bob", "deleteMessages", messageIds=[message])
    assert (await files.get(url, **known))[0].status == 404


async def test_the_head_alone(files: Filing) -> None:
    attachment = await files.upload("ada")
    async with files.client.head(files.at(attachment), headers=files.token("ada")) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(png())))
        assert await answer.read() == b""
    async with files.client.head(files.at(attachment)) as answer:
        assert answer.status == 404


async def test_a_file_that_is_lost_is_our_fault_and_said_so(files: Filing) -> None:
    attachment = await files.upload("ada")
    (files.folder / files.files()[0]).unlink()
    answer, body = await files.get(files.at(attachment), "ada")
    assert (answer.status, json.loads(body)["code"]) == (503, "UNAVAILABLE")
    assert files.files() == []


async def test_pages_of_allowed_origins_may_call(files: Filing) -> None:
    ask = {"Origin": ALLOWED, "Access-Control-Request-Method": "POST"}
    async with files.client.options(f"{files.address}/attachments", headers=ask) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    async with files.client.options(files.at("Attachment_1"), headers=ask) as answer:
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    for origin, allowed in ((ALLOWED, ALLOWED), ("https://other.example", None)):
        async with files.client.post(
            f"{files.address}/attachments?name=a.png",
            data=png(),
            headers={**files.token("ada"), "Content-Type": "image/png", "Origin": origin},
        ) as answer:
            assert answer.status == 201
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            number = (await answer.json())["id"]
        answer, _ = await files.get(files.at(number), "ada", Origin=origin)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    async with files.client.get(f"{files.address}/attachments", headers=files.token("ada")) as answer:
        assert answer.status == 405


async def test_a_receiver_that_takes_nothing_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.downloads.SILENCE", 0.1)
    policy: Policy = POLICY.with_knobs({"mostAttachmentBytes": 40_000_000})
    async with filing(tmp_path, policy=policy) as files:
        _, said = await files.post("ada", BytesIO(b"a" * 30_000_000), "text/plain")
        parts = urlsplit(files.address)
        with socket.create_connection((parts.hostname, parts.port)) as silent:
            token = files.token("ada")["Authorization"]
            silent.sendall(
                f"GET /attachments/{said['id']}/a HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
            )
            await becomes(lambda: "A download was cut off" in caplog.text)


# --------------------------------------------------------------------------- whatever becomes of the server


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_server_that_ends_in_the_middle_leaves_nothing_for_good(
    tmp_path: Path, end: signal.Signals
) -> None:
    watch = Watch()
    school = small_school(tmp_path, watch, POLICY.with_knobs({"mostAttachmentBytes": 50_000_000}))
    folder = tmp_path / "files"
    served = Filing(school, watch, folder)
    watch.now = wall_clock()
    async with (
        started(tmp_path, PREAU_STORAGE_URL=f"file:{folder}", PREAU_DATABASE_URL=school.database.url) as server,
        served.client as client,
    ):
        assert server.stdout
        async with asyncio.timeout(20):
            line = (await server.stdout.readline()).decode()
        served.address = line.split()[3].removesuffix("/graphql,")

        async def half() -> AsyncIterator[bytes]:
            yield b"a" * (3 * PART)
            await asyncio.Event().wait()

        sending = asyncio.create_task(_post(client, served, half()))
        await becomes(lambda: any("#" in name for name in served.files()))
        server.send_signal(end)
        async with asyncio.timeout(5):
            await server.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError, ClientError):
            await sending
    assert served.rows() == []
    watch.now += DAY + timedelta(minutes=1)
    run_nights(database_at(tmp_path, watch))
    remove_files(school.database, Storage(f"file:{folder}"))
    served.assert_nothing_is_left()


async def _post(client: ClientSession, files: Filing, content: Any) -> None:
    headers = {**files.token("ada"), "Content-Type": "text/plain"}
    async with client.post(f"{files.address}/attachments?name=a.txt", data=content, headers=headers):
        pass


@pytest.mark.parametrize("url", ["", "var/files", "ftp://x/y", "file:", "file://host/x", "s3://", "memory:"])
def test_a_storage_that_is_none_is_told_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="file:FOLDER or s3://BUCKET/PREFIX is wanted"):
        Settings(storage_url=url)


async def becomes(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - neither files nor rows tell anybody
            await asyncio.sleep(0.01)
