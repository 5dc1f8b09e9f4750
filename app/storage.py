"""Where do the files of messages lie? On a disk or in S3, by URL, each under a key of its own.

A file is there whole or not at all, and on the disk for good once it has been written.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

PART = 5 * 1024**2
"""Bytes that are held before they are written on: the smallest part that S3 takes."""

PIECE = 128 * 1024
"""Bytes that are read at once."""


class Storage:
    """`file:FOLDER` or `s3://BUCKET/PREFIX`. Raises ValueError for another URL. Nothing is opened before it is
    used.

    S3's keys, region and endpoint come from the variables that its own tools read (`AWS_...`). Its rule for
    unfinished multipart uploads should end those after a day: a server that is killed leaves them behind.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._folder: Path | None = None
        if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.strip("/"):
            self._folder = Path(unquote(parts.path)).absolute()
        elif parts.scheme != "s3" or not parts.netloc:
            raise ValueError("file:FOLDER or s3://BUCKET/PREFIX is wanted")

    @staticmethod
    def new_key(organization_id: int) -> str:
        """A key that nobody guesses, below the organization's."""
        return f"{organization_id}/{secrets.token_hex(16)}"

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Stores what comes, a part at a time. What `pieces` raises is raised, and leaves no file.

        Raises OSError when the storage fails.
        """
        try:
            await obstore.put_async(self._store, key, pieces, chunk_size=PART, max_concurrency=1)
        except BaseError as error:
            raise OSError(str(error)) from error
        if self._folder is not None:
            await asyncio.to_thread(_settle, self._folder / key)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`. Raises OSError, FileNotFoundError where there is no file."""
        try:
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
        except BaseError as error:
            raise OSError(str(error)) from error
        return self._pieces(found)

    def remove(self, keys: Sequence[str]) -> None:
        """The files are gone, and what is left of uploads under these keys. Raises OSError when that fails."""
        if self._folder is None:
            try:
                obstore.delete(self._store, keys)
            except BaseError as error:
                raise OSError(str(error)) from error
            return
        for key in keys:
            try:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, key)
            except BaseError as error:
                raise OSError(str(error)) from error
            path = self._folder / key
            for rest in path.parent.glob(f"{path.name}#*"):
                rest.unlink(missing_ok=True)

    @staticmethod
    async def _pieces(found: "obstore.GetResult") -> AsyncIterator[bytes]:
        try:
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)
        except BaseError as error:
            raise OSError(str(error)) from error

    @cached_property
    def _store(self) -> ObjectStore:
        if self._folder is None:
            return S3Store.from_url(self._url)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(self._folder)


def first_line(error: Exception) -> str:
    """What a storage says of a fault, without its long explanations."""
    return str(error).partition("\n")[0]


def _settle(path: Path) -> None:
    """The file and its name are on the disk, whatever happens to the machine."""
    for each in (path, path.parent, path.parent.parent):
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
