"""Does a picture that is uploaded tell nothing but the picture? Where it was taken, when and by whom goes."""

import struct
import zlib
from random import Random

import pytest

from models.pictures import Bare
from tests.filing import png

SECRET = b"GPSLatitude 56.8389 N, Ivanova's phone"
SCAN = bytes(Random(1).randbytes(5000)).replace(b"\xff", b"\xff\x00") + b"\xff\xd3" + b"\x12\x34" * 100
"""A compressed picture: stuffed, and with a restart marker."""


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def exif(way: int, order: str = "<") -> bytes:
    """Exif with two marks, of which one says which way up the picture is, and a text behind them."""
    entries = struct.pack(f"{order}HHI4s", 0x010E, 2, 4, b"ICC\0")
    entries += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, way, 0)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return b"Exif\0\0" + head + struct.pack(f"{order}H", 2) + entries + bytes(4) + SECRET


JFIF = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
ICC = segment(0xE2, b"ICC_PROFILE\0\x01\x01colours")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
TABLES = segment(0xDB, b"\0" + b"\x10" * 64) + segment(0xC2, b"\x08\0\x01\0\x01\x01\x01\x11\0")
HEAD_OF_SCAN = segment(0xDA, b"\x01\x01\0\0\x3f\0")
PICTURE = TABLES + HEAD_OF_SCAN + SCAN + segment(0xC4, b"\0" * 17) + HEAD_OF_SCAN + SCAN + b"\xff\xd9"
"""Progressive: two scans with a table between them."""

MARKS = segment(0xED, b"Photoshop 3.0\0" + SECRET) + segment(0xFE, SECRET) + segment(0xE2, b"MPF\0" + SECRET)


def bare(content: bytes, content_type: str = "image/jpeg", *, pieces: int = 10**9) -> bytes:
    """What is kept of a file that comes in pieces of this many bytes."""
    filter_ = Bare(content_type)
    kept = [filter_.feed(content[at : at + pieces]) for at in range(0, len(content), pieces)]
    return b"".join(kept) + filter_.end()


@pytest.mark.parametrize("pieces", [1, 7, 4096, 10**9])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpeg_keeps_its_picture_its_colours_and_which_way_up_it_is(pieces: int, order: str) -> None:
    whole = (
        b"\xff\xd8" + JFIF + segment(0xE1, exif(6, order)) + ICC + MARKS + ADOBE + PICTURE + b"ftypmp42" + SECRET
    )
    kept = bare(whole, pieces=pieces)
    up = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    assert kept == b"\xff\xd8" + JFIF + segment(0xE1, b"Exif\0\0" + up) + ICC + ADOBE + PICTURE


def test_a_jpeg_without_marks_is_as_it_was() -> None:
    whole = b"\xff\xd8" + JFIF + ICC + PICTURE
    assert bare(whole) == whole
    upright = b"\xff\xd8" + JFIF + segment(0xE1, exif(1)) + segment(0xE1, b"http://ns/xap\0" + SECRET) + PICTURE
    assert bare(upright) == b"\xff\xd8" + JFIF + PICTURE


@pytest.mark.parametrize("pieces", [1, 5, 10**9])
def test_a_png_keeps_its_picture(pieces: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    plain = png(40)
    marks = b"".join(chunk(kind, SECRET) for kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"))
    whole = plain[:33] + marks + plain[33:] + b"PK\x03\x04" + SECRET
    assert bare(whole, "image/png", pieces=pieces) == plain


@pytest.mark.parametrize("pieces", [1, 5, 10**9])
def test_a_webp_keeps_its_picture_and_its_length(pieces: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    extended = bytes((0b0010_1100,)) + bytes(9)
    picture = chunk(b"VP8 ", b"picture" * 9)

    def webp(*chunks: bytes) -> bytes:
        body = b"WEBP" + b"".join(chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    whole = webp(chunk(b"VP8X", extended), picture, chunk(b"EXIF", SECRET), chunk(b"XMP ", SECRET))
    blank = chunk(b"NONE", bytes(len(SECRET)))
    wanted = webp(chunk(b"VP8X", bytes((0b0010_0000,)) + bytes(9)), picture, blank, blank)
    assert bare(whole + SECRET, "image/webp", pieces=pieces) == wanted


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/webp"])
def test_whatever_is_broken_ends_and_grows_by_nothing(content_type: str) -> None:
    """Truncated anywhere, or with any byte another: nothing hangs, and hardly more comes out than went in."""
    whole = {
        "image/jpeg": b"\xff\xd8" + JFIF + segment(0xE1, exif(8)) + MARKS + PICTURE[:400],
        "image/png": png(40),
        "image/webp": b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\x0c" + bytes(9) + b"EXIF\xff\xff\xff\xff" + SECRET,
    }[content_type]
    random = Random(7)
    for _ in range(400):
        broken = bytearray(whole[: random.randrange(len(whole) + 1)])
        for _ in range(random.randrange(4)):
            if broken:
                broken[random.randrange(len(broken))] = random.randrange(256)
        kept = bare(bytes(broken), content_type, pieces=random.choice((1, 3, 100)))
        assert len(kept) <= len(broken) + 64
    for end in range(len(whole)):
        assert SECRET not in bare(whole[:end], content_type)


def test_other_files_are_as_they_were() -> None:
    assert bare(SECRET, "application/pdf", pieces=3) == SECRET
    assert bare(b"MZ" + SECRET, "image/jpeg") == b"MZ"
