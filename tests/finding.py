"""How do tests look for recipients? A school with names to look for, and Hill School of `reach_school` served.

People are known by their login.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from jobs.demo.roster_set import Person as Pupil
from jobs.demo.roster_set import School, StudyGroup
from models.database import Clock
from tests.api import Api, Person
from tests.reach_school import ReachSchool
from tests.small_school import database_at
from tests.steps import import_school

PINS, HILL = "Lycée des Pins", "Hill School"

FIND = """query($search: String!, $first: Int) { viewer { recipients(search: $search, first: $first) {
    __typename ... on User { id login } ... on Audience { id name } } } }"""

IN_3A, IN_4B = ("l.zoe", "l.anna", "l.artem"), ("l.ali",)

PEOPLE = (
    Pupil("chief", "administrator", "Adèle", "Brun"),
    Pupil("other.chief", "administrator", "Armand", "Noir"),
    Pupil("office", "aide", "Agathe", "Petit"),
    Pupil("t.maths", "teacher", "Alain", "Bois"),
    Pupil("t.russian", "teacher", "Софья", "Ёлкина"),
    Pupil("t.4b", "teacher", "Agnès", "Clerc"),
    Pupil("l.zoe", "student", "Zoé", "Arnaud", guardians=("p.arnaud", "p.par")),
    Pupil("l.anna", "student", "Anna", "O'Brien", guardians=("p.obrien",)),
    Pupil("l.artem", "student", "Артём", "Орлов-Йохансен", guardians=("p.orlov", "t.4b")),
    Pupil("l.ali", "student", "Ali", "Absent", guardians=("p.absent", "p.obrien")),
    Pupil("p.arnaud", "guardian", "Hélène", "Arnaud"),
    Pupil("p.par", "guardian", "Parfait", "Arnaud"),
    Pupil("p.obrien", "guardian", "Parisa", "O’Brien"),
    Pupil("p.orlov", "guardian", "Йохан", "Орлов"),
    Pupil("p.absent", "guardian", "Pascal", "Absent"),
)
STUDY = (
    StudyGroup("3a", "3e P", "Classe", ("t.maths",), IN_3A, True, ("t.maths",), "c3"),
    StudyGroup("4b", "4e Q", "Classe", ("t.4b",), IN_4B, True, ("t.4b",), "c4"),
    StudyGroup("way", "Parcours Avenir", "Orientation", ("t.russian",), IN_3A[:2], cycle="c3"),
    StudyGroup("russian", "Russe 3e-4e", "Russe", ("t.russian",), ("l.anna", "l.ali")),
)
SCHOOL = School(
    source_id="pins",
    name=PINS,
    preset="CAMPUS",
    time_zone="Europe/Paris",
    locale="fr",
    people=PEOPLE,
    study_groups=STUDY,
    cycles=(("c3", "Cycle 3"), ("c4", "Cycle 4")),
    in_cycles=(("chief", "c3"), ("other.chief", "c4")),
)


def pins(api: Api, preset: str) -> Callable[[str], Person]:
    """The people of the school, which follows this preset, by their logins."""
    import_school(api.database, replace(SCHOOL, preset=preset))
    return lambda login: api.as_(login, PINS)


@asynccontextmanager
async def hill(path: Path, clock: Clock, preset: str) -> AsyncIterator[tuple[Api, ReachSchool]]:
    """Hill School under this preset, in a database of its own."""
    database = database_at(path, clock)
    school = ReachSchool(database, path, preset)
    async with Api.serving(database) as api:
        yield api, school


async def finds(person: Person, search: str, first: int | None = 100) -> list[str]:
    """The logins of the people and the names of the audiences, as they are listed."""
    shown = await person.ask(FIND, search=search, first=first)
    return [found.get("login") or found["name"] for found in shown["viewer"]["recipients"]]
