"""What does a picture tell besides the picture? Where, when and with what it was taken: this leaves it out.

The pieces of a JPEG, PNG or WebP go through as they come. Of a JPEG only what a decoder needs stays (JFIF, the
colour profile, Adobe's mark) and which way up it is; of a PNG the chunks of text, time and Exif go; in a WebP Exif
and XMP are overwritten in their place. The compressed picture itself is not touched. What stands behind the end of
a picture goes as well: phones hide a film or a second picture with marks of its own there.

A file that is broken or only looks like a picture is harmless: what cannot be followed is left out from there on.
"""

from collections.abc import Callable, Generator

Filter = Generator[bytes, bytes, None]
"""Is sent what comes, and gives what stays; nothing comes any more: it is sent an empty piece."""


class Bare:
    """A picture on its way. `feed` each piece, then `end`; together they give the bare one."""

    def __init__(self, content_type: str) -> None:
        self._filter = _FILTERS[content_type]() if content_type in _FILTERS else None
        if self._filter is not None:
            next(self._filter)

    def feed(self, piece: bytes) -> bytes:
        """What may go on of what has come until now."""
        if self._filter is None or not piece:
            return piece
        return self._filter.send(piece)

    def end(self) -> bytes:
        """What has been held back, when nothing comes any more."""
        return b"" if self._filter is None else self._filter.send(b"")


class _Reader:
    """What has come and was not used yet; the filters take it piece by piece."""

    def __init__(self) -> None:
        self.rest = bytearray()
        self.out = bytearray()
        self.is_over = False

    def come(self) -> Generator[bytes, bytes, None]:
        """Gives what stays, and waits for more."""
        out, self.out = bytes(self.out), bytearray()
        piece = yield out
        if piece:
            self.rest += piece
        else:
            self.is_over = True

    def take(self, count: int) -> Generator[bytes, bytes, bytes]:
        """So many bytes, or fewer at the end of the file."""
        while len(self.rest) < count and not self.is_over:
            yield from self.come()
        taken = bytes(self.rest[:count])
        del self.rest[:count]
        return taken

    def pass_on(self, count: int, *, blank: bool = False, keep: bool = True) -> Generator[bytes, bytes, None]:
        """So many bytes go out as they are, as zeroes, or not at all; however many, they are not gathered."""
        while count > 0:
            if not self.rest:
                if self.is_over:
                    return
                yield from self.come()
                continue
            piece = bytes(self.rest[:count])
            del self.rest[: len(piece)]
            count -= len(piece)
            if keep:
                self.out += bytes(len(piece)) if blank else piece

    def drop_rest(self) -> Generator[bytes, bytes, None]:
        """Nothing of what comes stays any more."""
        while True:
            self.rest.clear()
            yield from self.come()


# ------------------------------------------------------------------------------------------------ JPEG

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""

_SIGNS = {_APP0: b"JFIF\0", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
"""Application segments that stay, and how they begin."""


def _jpeg() -> Filter:
    reader = _Reader()
    start = yield from reader.take(2)
    reader.out += start
    if start != b"\xff\xd8":
        yield from reader.drop_rest()
    while True:
        marker = yield from _next_marker(reader)
        if marker is None or marker == _EOI:
            reader.out += b"" if marker is None else b"\xff\xd9"
            yield from reader.drop_rest()
        elif marker in _ALONE:
            reader.out += bytes((0xFF, marker))
        else:
            yield from _segment(reader, marker)
            if marker == _SOS:
                yield from _scan(reader)


def _next_marker(reader: _Reader) -> Generator[bytes, bytes, int | None]:
    """The next marker; what stands before it is left out, as decoders skip it. None: there is none."""
    before = b""
    while True:
        byte = yield from reader.take(1)
        if not byte:
            return None
        if before == b"\xff" and byte not in (b"\xff", b"\x00"):
            return byte[0]
        before = byte


def _segment(reader: _Reader, marker: int) -> Generator[bytes, bytes, None]:
    """A marker with its length and what belongs to it. A length that cannot be is the end of the picture."""
    length = yield from reader.take(2)
    size = int.from_bytes(length)
    if len(length) < 2 or size < 2:
        yield from reader.drop_rest()
    content = yield from reader.take(size - 2)
    if _APP0 <= marker <= _APP15 or marker == _COM:
        sign = _SIGNS.get(marker)
        if marker == _APP1:
            reader.out += _only_orientation(content)
        if sign is None or not content.startswith(sign):
            return
        if marker == _APP0:
            length, content = (16).to_bytes(2), content[:12].ljust(12, b"\0") + b"\0\0"  # without its thumbnail
    reader.out += bytes((0xFF, marker)) + length + content


def _scan(reader: _Reader) -> Generator[bytes, bytes, None]:
    """The compressed picture, up to the next marker that is none of its own."""
    while True:
        at = reader.rest.find(b"\xff")
        if at < 0:
            yield from reader.pass_on(len(reader.rest))
            if reader.is_over:
                return
            yield from reader.come()
        elif at > 0:
            yield from reader.pass_on(at)
        else:
            pair = yield from reader.take(2)
            if len(pair) == 2 and pair[1] != 0 and pair[1] not in _ALONE:
                reader.rest[:0] = pair
                return
            reader.out += pair


_ORIENTATION = 0x0112


def _only_orientation(content: bytes) -> bytes:
    """A segment of Exif that says which way up the picture is, where this one does; else nothing."""
    if not content.startswith(b"Exif\0\0"):
        return b""
    tiff = content[6:]
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(tiff[:4])
    if order not in ("little", "big"):
        return b""

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")

    first = number(4, 4)
    for place in range(min(number(first, 2), 512)):
        entry = first + 2 + 12 * place
        if number(entry, 2) == _ORIENTATION and number(entry + 2, 2) == 3:
            way = number(entry + 8, 2)
            if 2 <= way <= 8:
                words = (
                    b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01" + bytes((0, way, 0, 0)) + bytes(4)
                )
                kept = b"Exif\0\0" + words
                return b"\xff\xe1" + (len(kept) + 2).to_bytes(2) + kept
    return b""


# ------------------------------------------------------------------------------------------- PNG, WebP

_PNG_MARKS = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})


def _png() -> Filter:
    reader = _Reader()
    start = yield from reader.take(8)
    reader.out += start
    if start != b"\x89PNG\r\n\x1a\n":
        yield from reader.drop_rest()
    while True:
        head = yield from reader.take(8)
        if len(head) < 8:
            yield from reader.drop_rest()
        kept = head[4:] not in _PNG_MARKS
        if kept:
            reader.out += head
        yield from reader.pass_on(int.from_bytes(head[:4]) + 4, keep=kept)  # what it holds, and its checksum
        if head[4:] == b"IEND":
            yield from reader.drop_rest()


_EXIF_AND_XMP = 0b0000_1100
"""In the flags of a WebP: that there are such chunks."""


def _webp() -> Filter:
    """The file says at its beginning how long it is: so nothing is taken away, but overwritten."""
    reader = _Reader()
    start = yield from reader.take(12)
    reader.out += start
    if start[:4] != b"RIFF" or start[8:] != b"WEBP":
        yield from reader.drop_rest()
    left = max(int.from_bytes(start[4:8], "little") - 4, 0)
    while left >= 8:
        head = yield from reader.take(8)
        if len(head) < 8:
            break
        size = int.from_bytes(head[4:], "little")
        size += size % 2
        left -= 8 + size
        blank = head[:4] in (b"EXIF", b"XMP ")
        reader.out += b"NONE" + head[4:] if blank else head
        if head[:4] == b"VP8X" and size:
            flags = yield from reader.take(1)
            reader.out += bytes(flag & ~_EXIF_AND_XMP for flag in flags)
            size -= 1
        yield from reader.pass_on(size, blank=blank)
    yield from reader.drop_rest()


_FILTERS: dict[str, Callable[[], Filter]] = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
