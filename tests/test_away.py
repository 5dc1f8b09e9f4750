"""What is answered while something that the server needs is away? A reason, and that it is worth trying again;
never a fault of ours. The database, the identity provider and the storage, each away for real."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from app.messenger.builtin import BuiltinMessenger
from jobs.demo import import_schools
from models.database import Database
from models.migrate import migrate
from tests.cutting import line_to
from tests.engines import PostgresServer, url_at
from tests.filing import Filing, filing, png
from tests.identity_provider import IdentityProvider, publishing, signed
from tests.running import SUBPROTOCOL, Running, address_in, first_words, last_words, logged, started
from tests.school import LEARNER_9A, viewer
from tests.web import NOW, Served, served

IMAGE = {"Content-Type": "image/png"}
JSON = "application/json"

Answer = tuple[int, Any]


async def asked(client: ClientSession, method: str, url: str, **more: Any) -> Answer:
    """The status, and what was said where that is JSON."""
    async with client.request(method, url, **more) as answer:
        return answer.status, await answer.json() if answer.content_type == JSON else await answer.text()


def assert_later(answer: Answer) -> None:
    """Not now, and why; by the form of files, or of operations."""
    status, said = answer
    assert status == 503, answer
    (error,) = said.get("errors", [said])
    assert error.get("code") or error["extensions"]["code"] == "UNAVAILABLE"
    assert error.get("reason") or error["message"]


# --------------------------------------------------------------------------------------- the database


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.end()


async def test_while_the_database_is_away_nothing_fails(postgresql: PostgresServer, tmp_path: Path) -> None:
    database = Database(postgresql.create("away"), messenger=BuiltinMessenger("x" * 40))
    migrate(database.engine)
    import_schools(database)
    people = {LEARNER_9A: viewer(database, LEARNER_9A)}
    variables = {
        "PREAU_ENVIRONMENT": "production",
        "PREAU_METRICS_TOKEN": "m",
        "PREAU_LINK_RETURN_URL": "https://spa.example/linked",
    }
    async with line_to(postgresql.port) as line, ClientSession() as client:
        url = url_at(line.port, "away")
        async with started(tmp_path, PREAU_DATABASE_URL=url, **variables) as process:
            server = Running(process, address_in(await first_words(process)), client, people, url)
            head, at = server.header(LEARNER_9A), server.address
            upload = f"{at}/attachments?name=a.png"
            status, said = await asked(client, "POST", upload, data=png(), headers={**head, **IMAGE})
            assert status == 201
            line.go_down()
            later = [
                asked(client, "POST", upload, data=png(), headers={**head, **IMAGE}),
                asked(client, "GET", f"{at}/attachments/{said['id']}/a.png", headers=head),
                asked(client, "GET", f"{at}/messenger/authorize?state=x"),
            ]
            operations = [
                server.ask(LEARNER_9A, "{ viewer { user { id } } }"),
                server.ask(LEARNER_9A, "mutation { markChatsSeen { __typename } }"),
            ]
            socket = await client.ws_connect(f"{at}/graphql", protocols=[SUBPROTOCOL])
            await socket.send_json({"type": "connection_init", "payload": head})
            shown, answers, ready, figures, _ = await asyncio.gather(
                asyncio.gather(*later),
                asyncio.gather(*operations),
                asked(client, "GET", f"{at}/readyz"),
                asked(client, "GET", f"{at}/metrics", headers={"Authorization": "Bearer m"}),
                socket.receive(timeout=20),
            )
            assert socket.close_code == 1013
            for answer in shown:
                assert_later(answer)
            for answer in answers:
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"]
            assert (ready[0], figures[0]) == (503, 200)
            assert "preau_database_up 0.0" in figures[1]
            assert (await asked(client, "GET", f"{at}/healthz"))[0] == 200
            line.is_down = False
            async with asyncio.timeout(20):
                while "errors" in await server.ask(LEARNER_9A, "{ viewer { user { id } } }"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            process.terminate()
            code, errors = await last_words(process)
    assert code == 0
    assert [line for line in logged(errors) if "fault" in line or line["level"] == "error"] == []


# ------------------------------------------------------------------------------- the identity provider


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with publishing() as provider:
        yield provider


async def test_while_the_provider_is_away_nothing_fails(
    tmp_path: Path, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.keys.BETWEEN", 0.0)
    async with served(tmp_path, storage_url=f"file:{tmp_path}/files", **provider.settings) as school:
        head = {"Authorization": signed(provider.claims(NOW))}

        async def later(method: str, path: str, **more: Any) -> None:
            provider.answer = web.Response(status=500)
            assert_later(await asked(school.client, method, f"{school.address}{path}", **more))

        await later("POST", "/graphql", json={"query": "{ me }"}, headers=head)
        await later("POST", "/attachments?name=a.png", data=png(), headers={**head, **IMAGE})
        await later("GET", "/attachments/Attachment_1/a.png", headers=head)
        provider.answer = web.Response(status=500)
        await assert_closed(school, head, 1013)
        assert (await school.ask("{ me }", headers=head))[1] == {"data": {"me": "1"}}, "it is back"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def assert_closed(school: Served, head: dict[str, str], code: int) -> None:
    async with school.client.ws_connect(school.url, protocols=[SUBPROTOCOL]) as ws:
        await ws.send_json({"type": "connection_init", "payload": head})
        await ws.receive(timeout=5)
        assert ws.close_code == code


# ---------------------------------------------------------------------------------------- the storage


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one of its own."""
    place = tmp_path / "files"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(how: str, disk: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def assert_not_taken(files: Filing, content: bytes = b"a" * 1000) -> None:
    """What the storage could not tidy up, a night will."""
    before = (files.rows(), files.files())
    assert_later(await files.post("ada", content, "text/plain"))
    assert (files.rows(), files.files()) == before


async def test_while_the_disk_is_full_no_file_is_taken(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with filing(tmp_path) as files:
        kept = await files.upload("ada", b"a" * 100_000, "text/plain")
        await assert_not_taken(files, b"a" * 250_000)
        assert files.loose() == []
        assert (await files.get(files.at(kept), "ada"))[1] == b"a" * 100_000
        await files.upload("ada", b"a" * 20_000, "text/plain")
        assert len(files.files()) == 2
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_while_the_disk_cannot_be_written_no_file_is_taken_and_all_are_given(
    disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with filing(tmp_path) as files:
        kept = await files.upload("ada")
        remount("ro", disk)
        await assert_not_taken(files)
        assert (await files.get(files.at(kept), "ada"))[1] == png()
        remount("rw", disk)
        await files.upload("ada")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_while_the_folder_is_gone_no_file_is_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with filing(tmp_path) as files:
        kept = await files.upload("ada")
        elsewhere = files.folder.with_name("elsewhere")
        shutil.move(files.folder, elsewhere)
        assert_later(await asked(files.client, "GET", files.at(kept), headers=files.token("ada")))
        files.folder.write_text("in the way")
        await assert_not_taken(files)
        files.folder.unlink()
        shutil.move(elsewhere, files.folder)
        assert (await files.get(files.at(kept), "ada"))[1] == png()
        await files.upload("ada")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
