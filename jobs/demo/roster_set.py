"""How is a school that we made up written as a OneRoster 1.1 set? The same bytes every time."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Role = Literal["administrator", "aide", "teacher", "guardian", "student"]

YEAR = "2026-2027"
PACKED_AT = (2026, 9, 1, 0, 0, 0)
"""The date of the files in the zip: a moment that never moves keeps the bytes the same."""


@dataclass(frozen=True)
class Person:
    """Somebody of the school. `guardians`: the logins of those who answer for a learner; personnel can."""

    login: str
    role: Role
    given: str
    family: str
    middle: str = ""
    guardians: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyGroup:
    """A class, or a subgroup by discipline where it is no homeroom. Members are logins; `primary`: the
    teachers so marked, whom a class has as its curators."""

    key: str
    title: str
    discipline: str
    teachers: tuple[str, ...]
    learners: tuple[str, ...]
    is_homeroom: bool = False
    primary: tuple[str, ...] = ()
    cycle: str | None = None


@dataclass(frozen=True)
class School:
    """One organization, with what its import is told beside the set. `cycles`: key -> name; `in_cycles`:
    login -> keys of the cycles where personnel belongs besides its groups."""

    source_id: str
    name: str
    preset: str
    time_zone: str
    locale: str
    people: tuple[Person, ...]
    study_groups: tuple[StudyGroup, ...]
    cycles: tuple[tuple[str, str], ...] = ()
    in_cycles: tuple[tuple[str, str], ...] = ()


def write_zip(school: School, path: Path) -> None:
    """The school's set, as a zip file at this path."""
    path.write_bytes(packed(school))


def packed(school: School) -> bytes:
    """The school's set as the bytes of a zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _files(school):
            archive.writestr(zipfile.ZipInfo(name, PACKED_AT), text.encode(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def class_id(key: str) -> str:
    """The sourcedId of a class or subgroup."""
    return f"class:{key}"


def _files(school: School) -> Iterator[tuple[str, str]]:
    yield "manifest.csv", _manifest()
    yield "academicSessions.csv", _sessions()
    yield "orgs.csv", _orgs(school)
    yield "courses.csv", _courses(school)
    yield "classes.csv", _classes(school)
    yield "users.csv", _users(school)
    yield "enrollments.csv", _enrolments(school)


def _manifest() -> str:
    said = {
        "manifest.version": "1.0",
        "oneroster.version": "1.1",
        "source.systemName": "Préau",
        "source.systemCode": "preau-demo",
        "file.demographics": "absent",
        **dict.fromkeys(
            (
                f"file.{name}"
                for name in ("academicSessions", "classes", "courses", "enrollments", "orgs", "users")
            ),
            "bulk",
        ),
    }
    return _table(("propertyName", "value"), sorted(said.items()))


def _sessions() -> str:
    columns = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear"
    begins, ends = "2026-09-01", "2027-06-30"
    return _table(columns.split(","), [(YEAR, "", "", YEAR, "schoolYear", begins, ends, "", YEAR[-4:])])


def _orgs(school: School) -> str:
    columns = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.kind"
    rows = [(school.source_id, "", "", school.name, "school", "", "", "")]
    for key, name in school.cycles:
        rows.append((_cycle_id(school, key), "", "", name, "department", "", school.source_id, "cycle"))
    return _table(columns.split(","), rows)


def _courses(school: School) -> str:
    columns = (
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
        "subjects,subjectCodes"
    )
    disciplines = dict.fromkeys(group.discipline for group in school.study_groups)
    return _table(
        columns.split(","),
        [(_course_id(title), "", "", YEAR, title, "", "", school.source_id, title, "") for title in disciplines],
    )


def _classes(school: School) -> str:
    columns = (
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
        "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods,metadata.parentSourcedId"
    )

    def row(group: StudyGroup) -> tuple[str, ...]:
        kind = "homeroom" if group.is_homeroom else "scheduled"
        above = "" if group.cycle is None else _cycle_id(school, group.cycle)
        course = _course_id(group.discipline)
        beginning = (class_id(group.key), "", "", group.title, "", course, group.key, kind, "")
        return (*beginning, school.source_id, YEAR, group.discipline, "", "", above)

    return _table(columns.split(","), map(row, school.study_groups))


def _users(school: School) -> str:
    columns = (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
        "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password"
    )

    def row(person: Person) -> tuple[str, ...]:
        cycles = [_cycle_id(school, key) for login, key in school.in_cycles if login == person.login]
        orgs = ",".join((school.source_id, *cycles))
        agents = ",".join(map(_user_id, person.guardians))
        named = (person.login, "", person.given, person.family, person.middle)
        return (_user_id(person.login), "", "", "true", orgs, person.role, *named, "", "", "", "", agents, "", "")

    return _table(columns.split(","), map(row, school.people))


def _enrolments(school: School) -> str:
    columns = (
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
        "beginDate,endDate"
    )

    def row(group: StudyGroup, login: str, role: str, primary: str) -> tuple[str, ...]:
        where = (class_id(group.key), school.source_id)
        return (f"enrolment:{group.key}:{login}", "", "", *where, _user_id(login), role, primary, "", "")

    def rows() -> Iterator[tuple[str, ...]]:
        for group in school.study_groups:
            for login in group.teachers:
                yield row(group, login, "teacher", "true" if login in group.primary else "false")
            for login in group.learners:
                yield row(group, login, "student", "")

    return _table(columns.split(","), rows())


def _user_id(login: str) -> str:
    return f"user:{login}"


def _course_id(discipline: str) -> str:
    return f"course:{discipline}"


def _cycle_id(school: School, key: str) -> str:
    return f"{school.source_id}:{key}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV as the standard wants it: UTF-8, lines that end in CRLF, a value with a comma quoted."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
