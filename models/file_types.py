"""What is this file really? Its first bytes, held against what it is said to be.

* An image, a sound, a video or a document that is known below must begin as that: who says otherwise is refused.
* Programs are refused.
* What a browser could run (pages, SVG, XML, scripts), and whatever is not known here, is kept as
  `application/octet-stream`: a name and bytes, to be downloaded and opened elsewhere.
* What is said to be nothing in particular is kept as what it begins as.

So the type that is kept is one of a short list, and safe to send to a browser that is told not to guess.
"""

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cache

import puremagic

HEAD = 4096
"""How many first bytes are looked at."""

UNKNOWN = "application/octet-stream"

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}")


class FalseType(Exception):
    """The file is not what it is said to be, or nobody can tell."""


class ForbiddenType(Exception):
    """No message carries such a file."""


@dataclass(frozen=True)
class Kind:
    """A type that is known. `signs`: what may be seen in the first bytes; any of them will do, but only the first
    tells it where nothing is said. `also`: other names under which it comes. `shown`: whether a browser may show
    it by itself."""

    content_type: str
    signs: tuple[str, ...]
    also: tuple[str, ...] = ()
    shown: bool = False

    def fits(self, seen: Set[str], *signs: str) -> bool:
        """Whether one of the signs is seen. Pictures, sounds and videos never read as text."""
        binary = self.content_type.startswith(MEDIA) and MARKUP not in self.signs
        return any(sign in seen for sign in signs) and not (binary and TEXT in seen)


def true_type(said: str, head: bytes) -> str:
    """The type under which a file is kept that is said to be this and begins with these bytes.

    Raises FalseType or ForbiddenType. Nothing said is nothing in particular.
    """
    name = said.partition(";")[0].strip().lower() or UNKNOWN
    if not _TYPE.fullmatch(name):
        raise FalseType
    if name in PROGRAMS or head.startswith(PROGRAM_STARTS):
        raise ForbiddenType
    seen = signs(head)
    if name in NOTHING_IN_PARTICULAR:
        told = (kind for kind in KINDS if kind.signs[0] not in (TEXT, MARKUP) and kind.fits(seen, kind.signs[0]))
        return next((kind.content_type for kind in told), UNKNOWN)
    kind = _kinds().get(name)
    if not (kind.fits(seen, *kind.signs) if kind else not name.startswith((*MEDIA, "multipart/"))):
        raise FalseType
    return kind.content_type if kind and not seen & RUNS else UNKNOWN


def is_shown(content_type: str) -> bool:
    """Whether a browser may show a file that is kept under this type, rather than save it."""
    return content_type in _shown()


def signs(head: bytes) -> frozenset[str]:
    """What is seen in the first bytes: names of types, and a few words of ours."""
    if not head:
        return frozenset()
    seen = {TEXT} if _is_text(head) else set()
    if head[4:8] == b"ftyp":
        seen |= _brands(head)
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE6 == 0xE2:
        seen.add(FRAME)
    if head.lstrip(_BLANK)[:1] == b"<":
        seen.add(MARKUP)
    if head.startswith(b"#!"):
        seen.add(SCRIPT)
    try:
        matches = puremagic.magic_string(head[:HEAD])
    except puremagic.PureError:
        return frozenset(seen)
    # A container's name alone does not tell what it holds, and what stands at the end is not looked at.
    return frozenset(
        seen | {each.mime_type for each in matches if each.offset >= 0 and each.byte_match != b"RIFF"}
    )


MEDIA = ("image/", "audio/", "video/")
TEXT, FRAME, MARKUP, SCRIPT, MPEG_4 = "text", "MPEG audio frame", "markup", "script", "MPEG-4"
RUNS = frozenset({MARKUP, SCRIPT})
NOTHING_IN_PARTICULAR = (UNKNOWN, "binary/octet-stream", "application/x-download", "application/force-download")

PROGRAM_STARTS = (
    b"MZ\x90\x00",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
)
"""Of Windows, Linux and macOS."""

PROGRAMS = frozenset(
    {
        "application/vnd.microsoft.portable-executable",
        "application/x-dosexec",
        "application/x-elf",
        "application/x-executable",
        "application/x-mach-binary",
        "application/x-ms-installer",
        "application/x-msdos-program",
        "application/x-msdownload",
        "application/x-msi",
    }
)


def _kind(name: str, *signs: str, also: str = "", shown: bool = False) -> Kind:
    return Kind(name, signs or (name,), tuple(also.split()), shown)


def _office(*names: str) -> list[Kind]:
    """Documents that are zip archives inside."""
    return [_kind(f"application/vnd.{name}", "application/zip") for name in names]


KINDS = (
    _kind("image/png", also="image/x-png", shown=True),
    _kind("image/jpeg", also="image/jpg image/pjpeg", shown=True),
    _kind("image/gif", shown=True),
    _kind("image/webp", shown=True),
    _kind("image/avif", "avif", "avis", shown=True),
    _kind("image/heic", "heic", "heix", "hevc", "mif1", also="image/heif image/heic-sequence"),
    _kind("image/tiff"),
    _kind("image/bmp", "image/x-ms-bmp", also="image/x-ms-bmp image/x-bmp", shown=True),
    _kind("image/svg+xml", MARKUP),
    _kind("audio/wav", "audio/x-wav", "audio/wave", also="audio/wave audio/x-wav audio/vnd.wave", shown=True),
    _kind("audio/flac", also="audio/x-flac", shown=True),
    _kind("audio/mp4", "M4A", MPEG_4, also="audio/m4a audio/x-m4a", shown=True),
    _kind("audio/aac", also="audio/x-aac audio/aacp", shown=True),
    _kind("audio/mpeg", "audio/mpeg", FRAME, also="audio/mp3 audio/x-mp3 audio/mpeg3", shown=True),
    _kind("audio/ogg", also="audio/opus audio/x-ogg application/ogg", shown=True),
    _kind("audio/midi", "audio/x-midi", also="audio/x-midi audio/mid"),
    _kind("audio/amr", "audio/AMR"),
    _kind("video/quicktime", "video/quicktime", MPEG_4),
    _kind("video/mp4", MPEG_4, also="video/x-m4v video/m4v", shown=True),
    _kind("video/3gpp", MPEG_4, also="audio/3gpp video/3gpp2"),
    _kind("video/x-matroska", also="video/matroska audio/x-matroska"),
    _kind("video/webm", shown=True),
    _kind("audio/webm", "video/webm", shown=True),
    _kind("video/ogg", shown=True),
    _kind("video/x-msvideo", "video/avi", "video/x-msvideo", also="video/avi video/msvideo"),
    _kind("video/mpeg", also="video/mpg"),
    _kind("application/pdf", also="application/x-pdf"),
    _kind("application/zip", also="application/x-zip-compressed application/x-zip"),
    _kind("application/gzip", "application/x-gzip", also="application/x-gzip"),
    _kind("application/x-7z-compressed"),
    _kind("application/vnd.rar", also="application/x-rar-compressed application/x-rar"),
    _kind("application/rtf", also="text/rtf"),
    _kind("application/msword", "application/msword", "application/rtf", "application/zip"),
    _kind("application/vnd.ms-powerpoint", "application/msword", "application/zip"),
    _kind("application/vnd.ms-excel", "application/msword", "application/zip", TEXT),  # some name CSV so
    _kind("application/epub+zip", "application/zip"),
    *_office(
        "openxmlformats-officedocument.wordprocessingml.document",
        "openxmlformats-officedocument.spreadsheetml.sheet",
        "openxmlformats-officedocument.presentationml.presentation",
        "oasis.opendocument.text",
        "oasis.opendocument.spreadsheet",
        "oasis.opendocument.presentation",
        "oasis.opendocument.graphics",
    ),
    _kind("text/plain", TEXT),
    _kind("text/csv", TEXT),
    _kind("text/markdown", TEXT),
    _kind("text/calendar", TEXT),
    _kind("application/json", TEXT),
)
"""In the order in which they are looked for where nothing is said."""

_BLANK = b" \t\r\n\f\xef\xbb\xbf"
_STILL = {"avif", "avis", "heic", "heix", "hevc", "mif1", "msf1"}


@cache
def _kinds() -> dict[str, Kind]:
    return {name: kind for kind in KINDS for name in (kind.content_type, *kind.also)}


@cache
def _shown() -> frozenset[str]:
    return frozenset(kind.content_type for kind in KINDS if kind.shown)


def _is_text(head: bytes) -> bool:
    """In any encoding that a school meets: no control characters but those of lines."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or not re.search(
        rb"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f]", head
    )


def _brands(head: bytes) -> set[str]:
    """What a file in the family of MPEG-4 calls itself: pictures by their brands, sound, or the family's name."""
    end = min(int.from_bytes(head[:4]), 256)
    found = {head[at : at + 4].decode("latin-1").strip() for at in (8, *range(16, end - 3, 4))}
    still = found & _STILL
    return still or {MPEG_4, *found & {"M4A"}}
