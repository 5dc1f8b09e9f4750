"""Do random rosters, told as deltas, end where the complete sets do? Two databases hear the same, told apart."""

import csv
import io
from pathlib import Path
from random import Random

import pytest

from tests.small_roster import Files, Imports, manifest

Rows = dict[str, dict[str, str]]
"""sourcedId -> the row."""

COLUMNS = {
    "orgs": "name type parentSourcedId metadata.kind",
    "courses": "title orgSourcedId",
    "classes": "title courseSourcedId classType schoolSourcedId metadata.kind metadata.parentSourcedId",
    "users": "enabledUser orgSourcedIds role username givenName familyName agentSourcedIds metadata.position",
    "enrollments": "classSourcedId userSourcedId role primary metadata.position",
}
PEOPLE = [f"p{number}" for number in range(12)]
SCHOOLS = ("north", "south")
PARENTS = ("north", "south", "d1", "d2")
ROLES = ("student", "student", "student", "teacher", "teacher", "parent", "guardian", "administrator", "aide")


def random_roster(chance: Random, before: dict[str, Rows]) -> dict[str, Rows]:
    """Two schools that overlap in everything, and keep most of what they were."""
    pick = chance.choice
    orgs = {school: {"name": school, "type": "school", "parentSourcedId": "district"} for school in SCHOOLS}
    orgs["district"] = {"name": "District", "type": "district"}
    for place in ("d1", "d2", "d3"):  # some below each other in circles, or below what is not there
        above = {"type": "department", "parentSourcedId": pick(PARENTS), "metadata.kind": pick(("cycle", ""))}
        orgs[place] = {"name": place + pick("xy"), **above}
    people = {
        person: {
            "enabledUser": pick(("true", "true", "true", "false")),
            "orgSourcedIds": ",".join(chance.sample(PARENTS, pick((1, 1, 2)))),
            "role": pick(ROLES),
            "username": person,
            "givenName": "Given",
            "familyName": pick(("One", "Other")),
            "agentSourcedIds": ",".join(chance.sample(PEOPLE, pick((0, 1, 2)))),
            "metadata.position": pick(("", "", "owner")),
        }
        for person in PEOPLE
    }
    classes = {
        f"c{number}": {
            "title": f"c{number}{pick('ab')}",
            "courseSourcedId": pick(("k1", "k2", "k3")),
            "classType": pick(("homeroom", "scheduled")),
            "schoolSourcedId": pick(SCHOOLS),
            "metadata.kind": pick(("", "", "course")),
            "metadata.parentSourcedId": pick(("", "d1", "d2")),
        }
        for number in range(5)
    }
    enrollments = {
        f"e{number}": {
            "classSourcedId": pick((*classes, "d1", "d2")),
            "userSourcedId": pick(PEOPLE),
            "role": pick(("student", "student", "teacher", "proctor")),
            "primary": pick(("", "true")),
            "metadata.position": pick(("", "", "", "expert", "administrator")),
        }
        for number in range(30)
    }
    courses = {course: {"title": course + pick("ab"), "orgSourcedId": "district"} for course in ("k1", "k2")}
    roster: dict[str, Rows] = {
        "orgs": orgs,
        "courses": courses,
        "classes": classes,
        "users": people,
        "enrollments": enrollments,
    }
    for table, rows in roster.items():
        old = before.get(table, {})
        kept = {key for key in rows if key in (*SCHOOLS, "district") or chance.random() < 0.9}
        fresh = {key: old[key] if key in old and chance.random() < 0.7 else rows[key] for key in rows}
        roster[table] = {key: fresh[key] for key in sorted(kept)}
    known = roster["classes"].keys() | roster["orgs"].keys()
    roster["enrollments"] = {
        key: row
        for key, row in roster["enrollments"].items()
        if row["classSourcedId"] in known and row["userSourcedId"] in roster["users"]
    }
    return roster


def complete(roster: dict[str, Rows]) -> Files:
    return {"manifest.csv": manifest(), **{f"{table}.csv": written(table, rows) for table, rows in roster.items()}}


def delta(chance: Random, before: dict[str, Rows], after: dict[str, Rows]) -> Files:
    """What differs, each file as a delta, or complete, or absent where nothing does."""
    files: Files = {}
    modes: dict[str, str] = {}
    for table, rows in after.items():
        changed = {key: row for key, row in rows.items() if before[table].get(key) != row}
        gone = {key: {**row, "status": "tobedeleted"} for key, row in before[table].items() if key not in rows}
        if chance.random() < 0.2:
            modes[table], files[f"{table}.csv"] = "bulk", written(table, rows)
        elif changed or gone:
            modes[table], files[f"{table}.csv"] = "delta", written(table, changed | gone)
    return {"manifest.csv": manifest(mode="absent", **modes), **files}


def written(table: str, rows: Rows) -> str:
    text = io.StringIO()
    header = ["sourcedId", "status", *COLUMNS[table].split()]
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"sourcedId": key, **row} for key, row in rows.items())
    return text.getvalue()


def standing(imports: Imports) -> object:
    return [
        (
            school,
            imports.people(school),
            groups,
            imports.guardians(school),
            [imports.at(group) for group in groups],
        )
        for school in SCHOOLS
        for groups in [imports.groups(school)]
    ]


@pytest.mark.parametrize("seed", range(3))
def test_deltas_of_random_rosters_end_where_complete_sets_do(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    by_sets, by_deltas = Imports(tmp_path / "sets"), Imports(tmp_path / "deltas")
    roster = random_roster(chance, {})
    by_sets.take(complete(roster))
    by_deltas.take(complete(roster))
    for _ in range(12):
        before, roster = roster, random_roster(chance, roster)
        by_sets.take(complete(roster))
        by_deltas.take(delta(chance, before, roster))
        assert standing(by_deltas) == standing(by_sets)
    assert not by_deltas.take(complete(roster)).changed
