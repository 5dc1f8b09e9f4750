"""Which files does a set have? A folder, or a zip, which is read as a stream and never unpacked to disk."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from jobs.roster.faults import BrokenRoster, Fault, Findings

MANIFEST = "manifest.csv"
MOST_MEMBERS = 1000
MOST_BYTES = 4 << 30
"""Of one file, unpacked."""
SMALL = 16 << 20
MOST_RATIO = 100
"""Of a member larger than `SMALL`: real rosters pack to a tenth, bombs to a thousandth."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)
"""What reading a damaged, encrypted or oddly packed member raises."""


@dataclass(frozen=True)
class Files:
    """The files of a set: name -> size in bytes, and how to open one."""

    sizes: dict[str, int]
    open: Callable[[str], IO[bytes]]

    def __contains__(self, name: str) -> bool:
        return name in self.sizes


@contextmanager
def open_set(path: Path, findings: Findings) -> Iterator[Files]:
    """The set at this path; in a zip or folder it may lie in one folder more.

    Raises ValueError where nothing is, BrokenRoster for a zip that is damaged or not to be trusted.
    """
    if path.is_dir():
        try:
            files = _in_folder(path)
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None
        yield files
    elif path.exists():
        try:
            archive = zipfile.ZipFile(path)
        except UNREADABLE:
            raise BrokenRoster([Fault(path.name, None, None, "is neither a folder nor a readable zip")]) from None
        with archive:
            yield _in_zip(archive, path.name, findings)
    else:
        raise ValueError(f"{path}: there is no such file or folder")


def _in_folder(path: Path) -> Files:
    inside = [path, *sorted(entry for entry in path.iterdir() if entry.is_dir())]
    root = next((folder for folder in inside if (folder / MANIFEST).is_file()), path)
    sizes = {entry.name: entry.stat().st_size for entry in sorted(root.iterdir()) if entry.is_file()}
    return Files(sizes, lambda name: (root / name).open("rb"))


def _in_zip(archive: zipfile.ZipFile, name: str, findings: Findings) -> Files:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BrokenRoster([Fault(name, None, None, f"holds {len(members)} files; at most {MOST_MEMBERS}")])
    sound: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        reason = _suspicious(member)
        place = PurePosixPath(member.filename)
        if reason is None and not member.is_dir() and place in sound:
            reason = "is in the zip twice"
        if reason is not None:
            findings.fault(member.filename, None, None, reason)
        elif not member.is_dir():
            sound[place] = member
    findings.refuse()
    folders = sorted({place.parent for place in sound if place.name == MANIFEST and len(place.parts) <= 2})
    root = folders[0] if folders else PurePosixPath()
    found = {place.name: member for place, member in sound.items() if place.parent == root}
    return Files(
        {file: member.file_size for file, member in found.items()},
        lambda file: archive.open(found[file]),
    )


def _suspicious(member: zipfile.ZipInfo) -> str | None:
    """Why a member is not to be trusted."""
    parts = member.filename.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        return "is a path that leads out of the zip"
    if member.flag_bits & 1:
        return "is encrypted"
    size, packed = member.file_size, max(member.compress_size, 1)
    if size > MOST_BYTES or (size > SMALL and size / packed > MOST_RATIO):
        return f"would unpack from {packed} to {size} bytes"
    return None
