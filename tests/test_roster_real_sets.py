"""Do real roster sets come in whole? People, groups and places counted again, straight from the CSV.

The count shares no code with the import: dictionaries and loops over the files.
"""

import csv
import io
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jobs.roster import import_roster
from models.database import Database
from models.tables.people import groups, guardianships, memberships, users
from tests.small_roster import Imports
from tests.small_school import dump

SETS = Path(__file__).parents[2] / "shared" / "data" / "oneroster"
NAMES = ("school-small", "school-medium", "district-medium", "district-medium-with-guardians", "district-large")
AT_SCHOOL = {
    "student": "LEARNER",
    "teacher": "TEACHER",
    "administrator": "ADMINISTRATOR",
    "guardian": "GUARDIAN",
    "parent": "GUARDIAN",
    "relative": "GUARDIAN",
}

pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason=f"the real roster sets are not here: {SETS}")


@pytest.mark.parametrize("name", NAMES)
def test_a_real_set_comes_in_whole_and_again_changes_nothing(name: str, tmp_path: Path) -> None:
    path = SETS / f"{name}.zip"
    database = Imports(tmp_path).database
    summary = import_roster(database, path, time_zone="America/New_York")
    assert stored(database) == counted(path)
    assert summary.people.added == sum(counted(path)["people"].values())
    before = dump(database)
    again = import_roster(database, path)
    assert not again.changed and dump(database) == before


def test_the_set_without_sourced_ids_comes_in_whole_and_again_changes_nothing(tmp_path: Path) -> None:
    imports = Imports(tmp_path)
    summary = import_roster(imports.database, SETS / "sds-v2.1.zip", time_zone="America/New_York")
    assert summary.notes == ["roles.csv: its rows have no sourcedId, so the set is read as SDS v2.1"]
    assert (summary.organizations.added, summary.people.added) == (2, 8)

    college, school = "110001", "110003"
    assert imports.groups(college) == {
        college: ("ORGANIZATION", "College of Engineering", None, None),
        "110002": ("DEPARTMENT", "Computer Science Department", None, college),
        "112001": ("SUBGROUP", "Computer Science 101", "Computer Science 101", college),
    }
    assert imports.at("112001", college) == {("114006", "TEACHER"), ("114008", "LEARNER")}
    assert imports.at("110002", college) == {("114006", "TEACHER")}
    assert imports.at("112002", school) == {
        *((pupil, "LEARNER") for pupil in ("114001", "114003", "114004")),
        *((guardian, "GUARDIAN") for guardian in ("114002", "114005")),
        ("114007", "TEACHER"),
    }
    assert imports.at(school, school) == imports.at("112002", school)
    assert imports.guardians(school) == {("114002", "114001"), ("114002", "114003"), ("114005", "114004")}
    assert imports.people(school)["114002"] == ("jean.craig@outlook.com", "Jean Craig")

    before = dump(imports.database)
    assert not import_roster(imports.database, SETS / "sds-v2.1.zip").changed
    assert dump(imports.database) == before


def stored(database: Database) -> dict[str, Counter[str]]:
    """What there is: how many people, groups by kind, memberships by kind of group and position, guardianships."""
    of = select(groups.c.kind, memberships.c.position).join(groups, groups.c.id == memberships.c.group_id)
    with database.engine.connect() as connection:
        return {
            "people": Counter(people=connection.execute(select(func.count()).select_from(users)).scalar_one()),
            "groups": Counter(connection.execute(select(groups.c.kind)).scalars()),
            "places": Counter(f"{row.position} in {row.kind}" for row in connection.execute(of)),
            "guardianships": Counter(
                of=connection.execute(select(func.count()).select_from(guardianships)).scalar_one()
            ),
        }


def counted(path: Path) -> dict[str, Counter[str]]:
    """The same by the files alone."""
    schools = {row["sourcedId"] for row in rows(path, "orgs") if row["type"] == "school"}
    people = {row["sourcedId"]: row for row in rows(path, "users") if row["orgSourcedIds"] in schools}
    kinds = {
        row["sourcedId"]: "CLASS" if row["classType"] == "homeroom" else "SUBGROUP"
        for row in rows(path, "classes")
    }
    children = [
        (guardian, child)
        for child, row in people.items()
        for guardian in filter(None, row["agentSourcedIds"].split(","))
    ]
    places = Counter(f"{AT_SCHOOL[row['role']]} in ORGANIZATION" for row in people.values())
    guardians: dict[str, set[str]] = defaultdict(set)
    for row in rows(path, "enrollments"):
        kind, person = kinds[row["classSourcedId"]], row["userSourcedId"]
        if row["role"] == "teacher":
            places[f"TEACHER in {kind}"] += 1
            if kind == "CLASS":
                assert row["primary"] == "true"
                places["CURATOR in CLASS"] += 1
        else:
            places[f"LEARNER in {kind}"] += 1
            group = guardians[row["classSourcedId"]]
            group.update(filter(None, people[person]["agentSourcedIds"].split(",")))
    for taught, members in guardians.items():
        places[f"GUARDIAN in {kinds[taught]}"] += len(members)
    return {
        "people": Counter(people=len(people)),
        "groups": Counter(kinds.values()) + Counter(ORGANIZATION=len(schools)),
        "places": +places,
        "guardianships": Counter(of=len(set(children))),
    }


def rows(path: Path, file: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive, archive.open(f"{file}.csv") as stream:
        return list(csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", newline="")))
