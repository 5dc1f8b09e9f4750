"""A school whose messages carry files, served for real: what the tests of attachments share."""

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, web
from sqlalchemy import select

from app.auth import Tokens
from app.server import build_app, runner
from app.settings import Environment, Settings
from models.actor import Viewer
from models.database import Database
from models.organization import set_policy
from models.policy import Policy
from models.presets import PRESETS
from models.tables.conversations import attachments
from models.tables.files import loose_files
from models.tables.people import Position
from resolvers.listeners import Listeners
from schema import schema
from tests.engines import copy_of, made_once
from tests.small_school import MONDAY, SmallSchool, Watch, database_at

SECRET = "x" * 40
ALLOWED = "https://spa.example"
POLICY = PRESETS["EPOS_SCHOOL"].with_knobs({"messageDeletion": "FOR_ME", "mostAttachmentBytes": 300_000})


def png(width: int = 1, *, tail: bytes = b"") -> bytes:
    """A picture of one line."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    line = zlib.compress(b"\x00" + b"\x7f\x00\x20" * width)
    header = struct.pack(">IIBBBBB", width, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", line) + chunk(b"IEND", b"") + tail


def wav(seconds: float = 0.5) -> bytes:
    """A sound: silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(b"\x00\x00" * int(8000 * seconds))
    return written.getvalue()


def zipped(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return written.getvalue()


@dataclass
class Filing:
    """The server, its school and its files. `watch` is its clock."""

    school: SmallSchool
    watch: Watch
    folder: Path
    address: str = ""
    client: ClientSession = field(default_factory=ClientSession)

    @property
    def database(self) -> Database:
        return self.school.database

    # ------------------------------------------------------------------------------------- over HTTP

    def token(self, login: str) -> dict[str, str]:
        viewer = Viewer(self.school.people[login], self.school.id)
        return {"Authorization": "Bearer " + Tokens(SECRET).issue(viewer, now=self.watch.now)}

    async def post(
        self,
        login: str | None,
        content: Any,
        content_type: str | None = "image/png",
        name: str = "a.png",
        **headers: str,
    ) -> tuple[int, Any]:
        """Uploads a file, as somebody or as nobody."""
        sent = {**(self.token(login) if login else {}), **headers}
        if content_type is not None:
            sent["Content-Type"] = content_type
        async with self.client.post(
            f"{self.address}/attachments",
            params={"name": name},
            data=content,
            headers=sent,
            skip_auto_headers=["Content-Type"],
        ) as answer:
            return answer.status, await answer.json()

    async def upload(
        self, login: str, content: bytes | None = None, content_type: str = "image/png", name: str = "a.png"
    ) -> str:
        """The id of a file that must be taken."""
        status, said = await self.post(login, png() if content is None else content, content_type, name)
        assert status == 201, said
        assert list(said) == ["id"]
        return str(said["id"])

    async def get(self, url: str, login: str | None = None, **headers: str) -> tuple[ClientResponse, bytes]:
        """What is at an address; `login`: with that person's token."""
        sent = {**(self.token(login) if login else {}), **headers}
        async with self.client.get(url, headers=sent) as answer:
            return answer, await answer.read()

    def at(self, attachment: str, name: str = "a.png") -> str:
        """The address of an attachment without a signature."""
        return f"{self.address}/attachments/{attachment}/{name}"

    async def ask(self, login: str, document: str, **variables: Any) -> Any:
        body = {"query": document, "variables": variables}
        async with self.client.post(f"{self.address}/graphql", json=body, headers=self.token(login)) as answer:
            shown = await answer.json()
        assert "errors" not in shown, shown
        return shown["data"]

    async def url(self, login: str, attachment: str) -> str | None:
        """The signed address that somebody is given; None where the attachment is nothing to him."""
        asked = "query($id: ID!) { node(id: $id) { ... on Attachment { url } } }"
        node = (await self.ask(login, asked, id=attachment))["node"]
        return node and str(node["url"])

    # ---------------------------------------------------------------------------------- conversations

    async def room(self, author: str, *others: str) -> str:
        """The id of a conversation of these people."""
        people = [f"User_{self.school.people[login]}" for login in others]
        made = await self.do(
            author, "createGroupConversation", "conversation { id }", title="T", participantIds=people
        )
        return str(made["conversation"]["id"])

    async def send(self, login: str, room: str, *files: str) -> str:
        """The id of a message with these files."""
        sent = await self.do(
            login, "sendMessage", "sent { id }", conversationId=room, body="Hello", attachmentIds=list(files)
        )
        assert sent["__typename"] == "SendMessagePayload", sent
        return str(sent["sent"]["id"])

    async def do(self, login: str, mutation: str, selection: str = "", **given: Any) -> Any:
        """What a mutation answers: its payload, or the refusal."""
        kind = f"{mutation[0].upper()}{mutation[1:]}"
        asked = f"... on {kind}Payload {{ {selection} }}" if selection else ""
        document = (
            f"mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ __typename {asked} "
            "... on UserError { code reason } ... on InvalidInputError { field } } }"
        )
        return (await self.ask(login, document, input=given))[mutation]

    # ------------------------------------------------------------------------------------ what is left

    def files(self) -> list[str]:
        """Every file in the storage, whole ones and others."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def rows(self) -> list[Any]:
        """What is known of files, in order."""
        return self._all(select(attachments).order_by(attachments.c.id))

    def loose(self) -> list[str]:
        return [row.storage_key for row in self._all(select(loose_files))]

    def assert_nothing_is_left(self) -> None:
        assert (self.files(), self.rows(), self.loose()) == ([], [], [])

    def _all(self, wanted: Any) -> list[Any]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(wanted).all())


def small_school(folder: Path, watch: Watch, policy: Policy = POLICY) -> SmallSchool:
    """Ada, Bob and Cleo at one school, in a database of its own: made once, then copied."""
    url, made = _made_once()
    copy_of(url, folder, "preau")
    school = copy(made)
    school.database = database_at(folder, watch)
    with school.database.transaction() as tx:
        set_policy(tx, school.id, "EPOS_SCHOOL", policy)
    return school


@cache
def _made_once() -> tuple[str, SmallSchool]:
    folder = made_once("filing")
    school = SmallSchool(database_at(folder, Watch(), kept=True), time_zone="UTC")
    for login in ("ada", "bob", "cleo"):
        school.person(login, Position.TEACHER)
    return school.database.url, school


@asynccontextmanager
async def filing(folder: Path, *, policy: Policy = POLICY, now: datetime = MONDAY) -> AsyncIterator[Filing]:
    """The school's server, on a port of its own."""
    watch = Watch(now)
    school = small_school(folder, watch, policy)
    files = folder / "files"
    settings = Settings(
        environment=Environment.PRODUCTION,
        secret=SECRET,
        database_url=school.database.url,
        storage_url=f"file:{files}",
        public_url="https://school.example",
        allowed_origins=ALLOWED,
    )
    listeners = Listeners(school.database)
    await school.database.start()
    await listeners.start()
    running = runner(build_app(settings, school.database, listeners, schema=schema))
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{running.addresses[0][1]}"
    served = Filing(school, watch, files, address)
    try:
        yield served
    finally:
        await served.client.close()
        await running.cleanup()
        await listeners.stop()
        await school.database.stop()
