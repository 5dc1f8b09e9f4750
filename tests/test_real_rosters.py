"""Do real roster sets become the chats that their files describe? Counted again here, straight from the CSV.

The count shares no code with the import or the night: dictionaries and loops over the files.
"""

import csv
import io
import zipfile
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.nightly import run_nights
from jobs.roster import import_roster
from models.database import Database
from models.tables.chats import chats, participations
from models.tables.organization import organizations
from models.tables.people import groups, users
from tests.small_school import Watch, database_at, dump

SETS = Path(__file__).parents[2] / "shared" / "data" / "oneroster"
NAMES = [
    "school-small",
    "school-medium",
    "district-medium",
    "district-medium-with-guardians",
    "district-large",
]
TODAY, TOMORROW = date(2026, 9, 7), date(2026, 9, 8)
ZONE = "America/New_York"

Key = tuple[str, str, str]
"""A chat: the school's sourcedId, the kind, the sourcedId of the school or class it is for."""

Composition = dict[Key, dict[str, bool]]
"""Chat -> the person's sourcedId -> whether chat administrator."""

pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason=f"the real roster sets are not here: {SETS}")


@pytest.mark.parametrize("name", NAMES)
def test_E34_a_real_roster_becomes_its_chats_and_again_nothing(name: str, tmp_path: Path) -> None:
    path = SETS / f"{name}.zip"
    watch = Watch()
    database = database_at(tmp_path, watch)

    import_roster(database, path, preset="EPOS_SCHOOL", time_zone=ZONE, locale="en")
    first = run_nights(database, local_date=TODAY)
    wanted = counted(path)
    found = stored(database)
    assert len(found) == len(wanted)
    assert sum(map(len, found.values())) == sum(map(len, wanted.values()))
    assert found == wanted
    assert sum(night.chats_created for night in first) == len(wanted)
    assert sum(night.joined for night in first) == sum(map(len, wanted.values()))

    watch.now = watch.now.replace(day=8)
    before = dump(database, without=("job_runs",))
    import_roster(database, path, preset="EPOS_SCHOOL", time_zone=ZONE, locale="en")
    second = run_nights(database, local_date=TOMORROW)
    assert len(second) == len(first) == len({school for school, _, _ in wanted})
    assert dump(database, without=("job_runs",)) == before


def test_every_set_is_tried() -> None:
    assert {path.stem for path in SETS.glob("*.zip")} == {*NAMES, "sds-v2.1"}


def counted(path: Path) -> Composition:
    """Who belongs where by the files alone. These sets know no ended rows: that is checked as well."""
    people, classes, enrolments = (rows(path, file) for file in ("users", "classes", "enrollments"))
    assert {row["status"] for row in people + classes + enrolments} == {"active"}
    assert {row["enabledUser"] for row in people} == {"true"}
    assert {row["role"] for row in enrolments} == {"student", "teacher"}
    schools = [org["sourcedId"] for org in rows(path, "orgs") if org["type"] == "school"]
    people_by_id = {person["sourcedId"]: person for person in people}
    enrolled = defaultdict(list)
    for row in enrolments:
        enrolled[row["classSourcedId"]].append(row)
    return {
        **{(school, "TEACHERS", school): personnel(people, school) for school in schools},
        **{
            (group["schoolSourcedId"], kind, group["sourcedId"]): chat
            for group in classes
            if group["classType"] == "homeroom"
            for kind, chat in of_class(people_by_id, enrolled[group["sourcedId"]]).items()
        },
    }


def personnel(people: list[dict[str, str]], school: str) -> dict[str, bool]:
    chat = {}
    for person in people:
        if school in listed(person["orgSourcedIds"]) and person["role"] in ("teacher", "administrator"):
            chat[person["sourcedId"]] = person["role"] == "administrator"
    return chat


def of_class(
    people_by_id: dict[str, dict[str, str]], enrolled: list[dict[str, str]]
) -> dict[str, dict[str, bool]]:
    """The two chats of a class; none without a curator."""
    teachers = [row for row in enrolled if row["role"] == "teacher"]
    curators = [row["userSourcedId"] for row in teachers if row["primary"] == "true"]
    if not curators and len(teachers) == 1:
        curators = [teachers[0]["userSourcedId"]]
    if not curators:
        return {}
    group, parents = {}, {}
    for row in enrolled:
        if row["role"] == "student":
            group[row["userSourcedId"]] = False
            for guardian in listed(people_by_id[row["userSourcedId"]]["agentSourcedIds"]):
                assert people_by_id[guardian]["role"] in ("guardian", "parent", "relative")
                parents[guardian] = False
    for curator in curators:
        group[curator] = parents[curator] = True
    return {"GROUP": group, "PARENTS": parents}


def stored(database: Database) -> Composition:
    found: Composition = {}
    with database.engine.connect() as connection:
        rows = connection.execute(
            select(
                organizations.c.source_id.label("school"),
                chats.c.kind,
                groups.c.source_id.label("of"),
                users.c.source_id.label("person"),
                participations.c.is_administrator,
            )
            .select_from(chats)
            .join(organizations, organizations.c.id == chats.c.organization_id)
            .join(groups, groups.c.id == chats.c.group_id)
            .outerjoin(participations, participations.c.room_id == chats.c.id)
            .outerjoin(users, users.c.id == participations.c.user_id)
            .where(chats.c.ended_at.is_(None), participations.c.left_at.is_(None))
        )
        for row in rows:
            chat = found.setdefault((row.school, row.kind, row.of), {})
            if row.person is not None:
                assert row.person not in chat
                chat[row.person] = row.is_administrator
    return found


def rows(path: Path, file: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive, archive.open(f"{file}.csv") as raw:
        return list(csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")))


def listed(ids: str) -> list[str]:
    return [one.strip() for one in ids.split(",") if one.strip()]
