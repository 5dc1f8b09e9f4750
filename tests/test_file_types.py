"""Is a file kept as what it is, and refused when it is something else?"""

import pytest

from models.file_types import HEAD, UNKNOWN, FalseType, ForbiddenType, is_shown, true_type
from tests.filing import png, wav, zipped

TRUE = {
    "png": (png(), "image/png", "image/png"),
    "another name": (png(), "IMAGE/X-PNG; q=1", "image/png"),
    "sound": (wav(), "audio/wave", "audio/wav"),
    "nothing said": (wav(), "", "audio/wav"),
    "nothing in particular": (png(), "application/octet-stream", "image/png"),
    "unknown bytes": (bytes(range(256)), "application/octet-stream", "application/octet-stream"),
    "unknown type": (b"\x00\x01", "application/vnd.school.thing", "application/octet-stream"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", "application/pdf"),
    "office": (
        zipped("[Content_Types].xml", "word/document.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "archive": (zipped("a.txt"), "application/x-zip-compressed", "application/zip"),
    "text": ("Привет!\n".encode("cp1251"), "text/plain; charset=windows-1251", "text/plain"),
    "wide text": ("Ça va ?".encode("utf-16"), "text/plain", "text/plain"),
    "text like another": (b"Was free of charge; BM, MZ and GIF89a are words", "text/plain", "text/plain"),
    "table": (b"a;b\n1;2\n", "application/vnd.ms-excel", "application/vnd.ms-excel"),
    "film": (b"\0\0\0\x18ftypiso5\0\0\2\0iso5iso6" + bytes(40), "video/mp4", "video/mp4"),
    "apple's sound": (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0", "", "audio/mp4"),
}


@pytest.mark.parametrize("case", TRUE)
def test_a_file_is_kept_as_what_it_is(case: str) -> None:
    content, said, kept = TRUE[case]
    assert true_type(said, content[:HEAD]) == kept


RUNS = {
    "page": (b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
    "page as text": (b"\xef\xbb\xbf \n<script>alert(1)</script>", "text/plain"),
    "page as nothing": (b"<html><body onload=alert(1)>", "application/octet-stream"),
    "page as data": (b"<html>", "application/json"),
    "xhtml": (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "application/xhtml+xml"),
    "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
    "drawing with a hole": (b"<svg xmlns='http://www.w3.org/2000/svg'>\x01</svg>", "image/svg+xml"),
    "script": (b"alert(1)", "text/javascript"),
    "shell": (b"#!/bin/sh\nrm -rf /", "text/plain"),
}


@pytest.mark.parametrize("case", RUNS)
def test_what_a_browser_could_run_is_kept_as_bytes(case: str) -> None:
    content, said = RUNS[case]
    assert true_type(said, content) == UNKNOWN
    assert not is_shown(UNKNOWN)


FALSE = {
    "page as picture": (b"<html><script>alert(1)</script>", "image/png"),
    "drawing as picture": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"),
    "picture of another kind": (png(), "image/jpeg"),
    "picture as drawing": (png(), "image/svg+xml"),
    "picture as film": (png(), "video/mp4"),
    "picture as text": (png(), "text/plain"),
    "picture as document": (png(), "application/pdf"),
    "text that begins as a picture": (b"GIF89a/*<script>*/=1;alert(1)", "image/gif"),
    "sound as picture of its container": (wav(), "image/webp"),
    "film as picture of its container": (b"\0\0\0\x18ftypiso5\0\0\2\0iso5iso6" + bytes(40), "image/avif"),
    "text as document": (b"once upon a time", "application/pdf"),
    "picture that nobody knows": (png(), "image/x-unheard-of"),
    "form": (b"--x\r\n", "multipart/form-data; boundary=x"),
    "no type": (png(), "png"),
    "no type at all": (png(), "image/png/x"),
}


@pytest.mark.parametrize("case", FALSE)
def test_what_is_not_what_it_is_said_to_be_is_refused(case: str) -> None:
    content, said = FALSE[case]
    with pytest.raises(FalseType):
        true_type(said, content[:HEAD])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\x00" + bytes(60), "application/octet-stream"),
        (b"MZ\x90\x00" + bytes(60), "image/png"),
        (b"\x7fELF\x02\x01" + bytes(60), ""),
        (b"anything", "application/x-msdownload"),
    ],
)
def test_programs_are_refused(content: bytes, said: str) -> None:
    with pytest.raises(ForbiddenType):
        true_type(said, content)


@pytest.mark.parametrize("said", ["image/png", "audio/mpeg", "application/pdf", "text/plain", "", "text/html"])
def test_any_first_bytes_are_looked_at_without_a_fault(said: str) -> None:
    """What is kept to be shown is a picture, a sound or a video, whatever the bytes."""
    for first in range(256):
        for second in (0x00, 0x0A, 0x3C, 0xD8, 0xFB, 0xFF):
            try:
                kept = true_type(said, bytes((first, second)) + b"ftyp" * (first % 3))
            except (FalseType, ForbiddenType):
                continue
            assert not is_shown(kept) or kept.startswith(("image/", "audio/", "video/"))
            assert kept not in ("text/html", "image/svg+xml", "application/xhtml+xml")
