"""A roster set of two small schools, as text that tests change line by line, and what becomes of it.

People, groups and schools are known by their sourcedId.
"""

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from app.messenger import BuiltinMessenger
from jobs.roster import Summary, import_roster
from models.database import Clock, Database
from models.migrate import migrate
from models.tables.events import events
from models.tables.organization import organizations
from models.tables.people import groups, guardianships, memberships, users
from tests.engines import copy_of, made_once, new_url
from tests.small_school import Watch

Files = dict[str, str | bytes]

TABLES = ("orgs", "courses", "classes", "users", "enrollments")


def manifest(version: str = "1.1", mode: str = "bulk", **modes: str) -> str:
    """Every file in this mode, but those that are named."""
    tables = (*TABLES, "roles") if version == "1.2" else TABLES
    said = {f"file.{table}": modes.get(table, mode) for table in tables}
    properties = {"manifest.version": "1.0", "oneroster.version": version, "file.results": "absent", **said}
    return "\n".join(["propertyName,value", *(f"{name},{value}" for name, value in properties.items()), ""])


ORGS = """sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.kind
district,,,District,district,,,
north,,,North School,school,,district,
south,,,South School,school,,district,
science,,,Science,department,,north,
physics,,,Physics,department,,science,
lower,,,Lower Cycle,department,,north,cycle
"""

COURSES = """sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId
algebra,,,,Algebra,,,district
"""

CLASSES = """sourcedId,status,title,courseSourcedId,classType,schoolSourcedId,\
metadata.kind,metadata.parentSourcedId
3a,,3A,algebra,homeroom,north,,lower
3b,,3B,algebra,homeroom,north,,
math,,Algebra 3A,algebra,scheduled,north,,science
chess,,Chess Club,algebra,scheduled,north,course,
9z,,9Z,algebra,homeroom,south,,
"""

USERS = """sourcedId,status,enabledUser,orgSourcedIds,role,username,givenName,familyName,middleName,\
agentSourcedIds,metadata.position
head,,true,north,administrator,head,Ada,Head,,,owner
ann,,true,"north,science",teacher,ann,Ann,Archer,,,
bob,,true,"north,south",teacher,bob,Bob,Baker,Q.,,
sec,,true,north,aide,sec,Sam,Clerk,,,
kid1,,true,north,student,kid1,Kim,Young,Lee,"mum,dad",
kid2,,true,north,student,kid2,Kai,Young,,mum,
kid3,,true,south,student,kid3,Zoe,South,,,
mum,,true,north,parent,mum,Mia,Young,,,
dad,,true,north,guardian,dad,Dan,Young,,,
"""

ENROLLMENTS = """sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,primary,metadata.position
e1,,3a,north,ann,teacher,true,
e2,,3a,north,bob,teacher,false,
e3,,3a,north,kid1,student,,
e4,,3b,north,bob,teacher,,
e5,,3b,north,kid2,student,,
e6,,math,north,ann,teacher,true,
e7,,math,north,kid1,student,,
e8,,chess,north,sec,proctor,,expert
e9,,chess,north,kid2,student,,
e10,,9z,south,kid3,student,,
"""


def small_roster(mode: str = "bulk", **modes: str) -> Files:
    return {
        "manifest.csv": manifest(mode=mode, **modes),
        "orgs.csv": ORGS,
        "courses.csv": COURSES,
        "classes.csv": CLASSES,
        "users.csv": USERS,
        "enrollments.csv": ENROLLMENTS,
    }


def changed(files: Files, file: str, *changes: tuple[str, str]) -> Files:
    """The set with each old text, which is there once, replaced by the new one."""
    text = files[file]
    assert isinstance(text, str)
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        text = text.replace(old, new)
    return {**files, file: text}


def folder(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """The set as a folder, byte for byte."""
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path: Path, files: Mapping[str, str | bytes], *, inside: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(inside + name, content)
    return path


@cache
def _migrated() -> str:
    """An empty database, made once: most tests need one, and migrating takes longer than importing."""
    directory = made_once("empty")
    url = new_url(directory, kept=True)
    migrate(Database(url, messenger=BuiltinMessenger("x" * 40)).engine)
    return url


class Imports:
    """Sets come into one database below this path, one after the other, and are looked at."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        messenger = BuiltinMessenger("x" * 40)
        self.database = Database(copy_of(_migrated(), path, "preau"), messenger=messenger, clock=clock or Watch())
        self._path = path
        self._number = 0

    def take(
        self,
        files: Files,
        *,
        preset: str | None = None,
        time_zone: str | None = "Europe/Paris",
        locale: str | None = None,
    ) -> Summary:
        path = self.written(files)
        return import_roster(self.database, path, preset=preset, time_zone=time_zone, locale=locale)

    def written(self, files: Files) -> Path:
        self._number += 1
        return folder(self._path / f"set-{self._number}", files)

    # --------------------------------------------------------------------------------- what is there

    def people(self, school: str = "north") -> dict[str, tuple[str, str]]:
        """Active person -> (login, name)."""
        rows = self._rows(select(users).where(users.c.deactivated_at.is_(None)), school)
        return {row.source_id: (row.login, row.name) for row in rows}

    def groups(self, school: str = "north") -> dict[str, tuple[str, str, str | None, str | None]]:
        """Live group -> (kind, name, discipline, the group above)."""
        rows = self._rows(select(groups).where(groups.c.ended_at.is_(None)), school)
        names = {row.id: row.source_id for row in rows}
        return {row.source_id: (row.kind, row.name, row.discipline, names.get(row.parent_id)) for row in rows}

    def at(self, group: str, school: str = "north") -> set[tuple[str, str]]:
        """(person, position) of everybody in the group now."""
        found = (
            select(users.c.source_id, memberships.c.position)
            .join(memberships, memberships.c.user_id == users.c.id)
            .join(groups, groups.c.id == memberships.c.group_id)
            .where(groups.c.source_id == group, memberships.c.until.is_(None))
            .add_columns(users.c.organization_id)
        )
        rows = [(row.source_id, row.position) for row in self._rows(found, school)]
        assert len(rows) == len(set(rows))
        return set(rows)

    def guardians(self, school: str = "north") -> set[tuple[str, str]]:
        """(guardian, child)."""
        guardian, child = users.alias("guardian"), users.alias("child")
        found = (
            select(guardian.c.source_id, child.c.source_id.label("child"), guardianships.c.organization_id)
            .join(guardian, guardian.c.id == guardianships.c.guardian_id)
            .join(child, child.c.id == guardianships.c.child_id)
            .where(guardianships.c.until.is_(None))
        )
        return {(row.source_id, row.child) for row in self._rows(found, school)}

    def told(self, school: str = "north") -> list[str]:
        """Whom the events concern, in order."""
        found = (
            select(users.c.source_id, events.c.kind, events.c.organization_id)
            .join(users, users.c.id == events.c.user_id)
            .order_by(events.c.number)
        )
        rows = self._rows(found, school)
        assert {row.kind for row in rows} <= {"PERSON_CHANGED"}
        return [row.source_id for row in rows]

    def _rows(self, found: Select[Any], school: str) -> list[Any]:
        with self.database.engine.connect() as connection:
            number = connection.execute(
                select(organizations.c.id).where(organizations.c.source_id == school)
            ).scalar_one()
            return [row for row in connection.execute(found) if row.organization_id == number]
