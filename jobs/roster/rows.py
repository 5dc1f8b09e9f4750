"""What stands in a CSV file? Its rows with the physical lines on which they begin, whatever ends a line.

Comma-separated, UTF-8 with or without a byte order mark; lines end with CR, LF or CRLF, also inside quotes.
A quote inside a field that is not quoted stands for itself. Blank lines are no rows.
"""

import codecs
import csv
from collections.abc import Callable, Iterator
from typing import IO

BLOCK = 1 << 18
LONGEST = 1 << 20
"""Bytes of one row: a quote that is not closed must not swallow the memory."""

Tell = Callable[[int, str], None]
"""Takes a line and what is wrong with it."""


class TornFile(Exception):
    """The rest of the file cannot be read as rows."""


def read_rows(stream: IO[bytes], tell: Tell, passed: Callable[[int], None]) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every row. `passed` hears how many bytes were read. Raises TornFile, after `tell`."""
    lines = _Lines(stream, tell, passed)
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        lines.held = 0
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                tell(line, "broken quoting: the quote that opens here is never closed")
            elif "field limit" in str(error):
                tell(line, f"a field is longer than {csv.field_size_limit()} characters")
            else:
                tell(line, "broken quoting: text follows a closing quote")
                continue
            raise TornFile from None
        except _TooLong:
            tell(line, f"the row is longer than {LONGEST} bytes; is a quote not closed?")
            raise TornFile from None
        if row:
            yield line, row


class _TooLong(Exception):
    pass


class _Lines:
    """Physical lines as text. `held`: the bytes of the row that is being read."""

    def __init__(self, stream: IO[bytes], tell: Tell, passed: Callable[[int], None]) -> None:
        self.held = 0
        self._stream = stream
        self._tell = tell
        self._passed = passed

    def __iter__(self) -> Iterator[str]:
        for number, raw in enumerate(self._raw(), start=1):
            self.held += len(raw)
            if self.held > LONGEST:
                raise _TooLong
            line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                self._tell(number, f"broken encoding: byte 0x{line[error.start]:02X} is no UTF-8")
                yield line.decode(errors="replace")

    def _raw(self) -> Iterator[bytes]:
        rest = b""
        while block := self._stream.read(BLOCK):
            self._passed(len(block))
            *whole, rest = (rest + block).splitlines(keepends=True)
            if rest.endswith(b"\n"):
                whole.append(rest)
                rest = b""  # but a CR at the end may be half of a CRLF
            yield from whole
            if len(rest) > LONGEST:
                raise _TooLong
        if rest:
            yield rest
