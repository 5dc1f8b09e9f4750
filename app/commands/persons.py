"""What does a school do for somebody who asks what is known of him, or wants it erased?"""

import asyncio
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.commands.mistake import Mistake
from app.storage import Storage
from jobs.erasure import erase_person
from jobs.orphans import remove_files
from jobs.roster.erased import remembered_of
from models import audit
from models.database import Database, Transaction
from models.erasure import UnderReport, is_erased, readmit
from models.export import everything, files_of
from models.organization import organization, organization_called
from models.tables.organization import organizations
from models.tables.people import users

PRIVATE = 0o600
"""Who may read an export: nobody but who asked for it at the terminal."""

_NUMBER = re.compile(r"User_([1-9][0-9]{0,17})", re.ASCII)

README = {
    "en": """This is what {school} knows of {name} ({login}) as of {now}.

person.json, memberships.json and so on: one file for each kind of thing that is stored. Times are UTC.
messages.json: what this person wrote, and what others wrote to this person and can still be read.
roster.json: what the school's own records said when they were last taken over.
files/: the documents, pictures and sounds that belong to these messages; each name begins with its number.

Of other people there are only their names and what they wrote to this person.
""",
    "fr": """Voici ce que {school} sait de {name} ({login}) à la date du {now}.

person.json, memberships.json, etc. : un fichier par sorte de données enregistrées. Les heures sont en UTC.
messages.json : ce que cette personne a écrit, et ce que d'autres lui ont écrit et qu'elle peut encore lire.
roster.json : ce que disaient les registres de l'établissement lors de leur dernière reprise.
files/ : les documents, images et sons joints à ces messages ; chaque nom commence par le numéro du fichier.

Des autres personnes ne figurent que leurs noms et ce qu'elles ont écrit à cette personne.
""",
    "ru": """Здесь всё, что {school} хранит о человеке: {name} ({login}), на {now}.

person.json, memberships.json и другие: по одному файлу на каждый вид записей. Время указано в UTC.
messages.json: что написал этот человек и что ему написали другие, если он ещё может это прочитать.
roster.json: что говорили о нём списки школы при последней загрузке.
files/: документы, картинки и звуки из этих сообщений; имя начинается с номера файла.

О других людях здесь есть только их имена и то, что они написали этому человеку.
""",
}


def export(database: Database, storage: Storage, who: str, path: Path, *, in_: str | None) -> Iterator[str]:
    """Writes a zip with everything that is known of the person. Raises Mistake."""
    if path.exists():
        raise Mistake(f"{path}: is there already")
    with database.transaction() as tx:
        person = _found(tx, who, in_)
        tx.hold(person.organization_id)
        school = organization(tx, person.organization_id)
        known = everything(tx, school.id, person.id)
        known["roster"] = remembered_of(tx, school.id, person.source_id)
        files = files_of(tx, person.id)
        now = f"{tx.now:%Y-%m-%d %H:%M} UTC"
        audit.keep(tx, school.id, "exportPerson", [f"User_{person.id}"])
    readme = README[school.locale].format(school=school.name, name=person.name, login=person.login, now=now)
    texts = {"README.txt": readme}
    for about, rows in known.items():
        texts[f"{'person' if about == 'users' else about}.json"] = json.dumps(rows, ensure_ascii=False, indent=2)
    try:
        missing = _write(path, texts, files, storage)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Mistake(f"{path}: {error}") from None
    yield f"{path}: {len(known['messages'])} messages, {len(files) - len(missing)} files."
    yield from (f"missing in the storage: {name}" for name in missing)


def erase(database: Database, storage: Storage, who: str, *, in_: str | None) -> Iterator[str]:
    """Erases the person, his files, and what the database still holds of them in free pages. Raises Mistake."""
    with database.transaction() as tx:
        person = _found(tx, who, in_)
    try:
        is_new = erase_person(database, person.organization_id, person.id)
    except UnderReport as error:
        reports = error.args[0]
        raise Mistake(
            f"User_{person.id}: {reports} reports wait for a decision to which this person matters"
        ) from None
    yield f"User_{person.id} is erased." if is_new else f"User_{person.id} has been erased before."
    try:
        removed = remove_files(database, storage)
    except OSError as error:
        raise Mistake(f"PREAU_STORAGE_URL: {error}; a night removes the files") from None
    yield f"{removed} files removed."
    if not _wipe(database):
        yield "Somebody is reading: the write-ahead log keeps old pages until this command is run again."


def admit_again(database: Database, source_id: str, *, in_: str) -> str:
    """The next roster may bring somebody with this sourcedId. Raises Mistake for who was not erased there."""
    with database.transaction() as tx:
        school = _school(tx, in_)
        tx.hold(school)
        if not readmit(tx, school, source_id):
            raise Mistake(f"{source_id}: nobody with this sourcedId was erased in {in_}")
    return f"{source_id} may come with the next roster, as somebody new."


def who_it_is(database: Database, who: str, *, in_: str | None) -> str:
    """Somebody as one names him before a question that cannot be taken back. Raises Mistake."""
    with database.transaction() as tx:
        person = _found(tx, who, in_)
        school = organization(tx, person.organization_id)
    return f"{person.name} ({person.login}), {school.name}"


def _found(tx: Transaction, who: str, in_: str | None) -> Any:
    """The row of the person with this login or id, active or not. Raises Mistake."""
    number = _NUMBER.fullmatch(who)
    wanted = (
        select(users, organizations.c.name.label("organization"))
        .join(organizations, organizations.c.id == users.c.organization_id)
        .where(users.c.id == int(number[1]) if number else users.c.login == who)
        .order_by(users.c.id)
    )
    if in_ is not None:
        wanted = wanted.where(users.c.organization_id == _school(tx, in_))
    people = tx.execute(wanted).all()
    if not people:
        raise Mistake(f"{who}: nobody has this login or id in {in_ or 'any organization'}")
    if len(people) > 1:
        listed = ", ".join(f"User_{each.id} ({each.organization})" for each in people if not is_erased(each))
        raise Mistake(f"{who} is the login of several people: name one by his id, {listed}")
    return people[0]


def _school(tx: Transaction, text: str) -> int:
    try:
        return organization_called(tx, text).id
    except ValueError as error:
        raise Mistake(str(error)) from None


def _write(path: Path, texts: dict[str, str], files: list[Any], storage: Storage) -> list[str]:
    """The zip; the names of files that the storage does not have."""
    missing = []
    opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    with os.fdopen(opened, "wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        for file in files:
            name = f"files/{file.id} {file.name}"
            try:
                content = asyncio.run(_content(storage, file))
            except FileNotFoundError:
                missing.append(name)
            else:
                archive.writestr(name, content)
    return missing


async def _content(storage: Storage, file: Any) -> bytes:
    gathered = io.BytesIO()
    async for piece in await storage.read(file.storage_key, 0, file.byte_size):
        gathered.write(piece)
    return gathered.getvalue()


def _wipe(database: Database) -> bool:
    """Writes SQLite's file anew, without the pages that were freed; whether its write-ahead log is empty too.
    PostgreSQL: dead rows become room for others."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        if database.engine.dialect.name != "sqlite":
            return True
        return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
