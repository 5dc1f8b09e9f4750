"""Do the mandatory chats follow a school through a year? Rosters come, nights run by a moved clock, and after each
night the chats equal a recount from the roster's rows, in plain loops that share no code with the program.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from jobs.nightly import run_nights
from models.database import Database
from models.tables.chats import chats, participations
from models.tables.people import groups, users
from tests.small_roster import Files, Imports, manifest
from tests.small_school import Watch

BEGIN = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHTS = 365
ROSTERS = 70
"""How many of the days bring a new roster."""

People = dict[str, bool]
"""Person -> whether chat administrator."""

Chats = dict[tuple[str, str], People]
"""(kind, the class or school it is for) -> who takes part."""


class Roster:
    """The school as its office keeps it: what happens in a year happens here."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.classes = {f"c{number}": f"{number}A" for number in range(1, 5)}
        self.teachers = {f"t{number}" for number in range(8)}
        self.administrators = {"a0"}
        self.child_in: dict[str, str] = {}
        self.guardians: dict[str, set[str]] = {}
        self.curator_of: dict[str, set[str]] = {name: set() for name in self.classes}
        self.count = Counter[str]()
        for name in self.classes:
            for _ in range(4):
                self.child_comes(name)
            self.curator_comes(name)

    # ----------------------------------------------------------------------- what may happen

    def child_comes(self, to: str | None = None) -> None:
        self.count["child"] += 1
        child = f"k{self.count['child']}"
        self.child_in[child] = to or self.chance.choice(sorted(self.classes))
        known = sorted({guardian for some in self.guardians.values() for guardian in some})
        new = f"g{self.count['child']}"
        self.guardians[child] = set(self.chance.sample([new, *known[-3:]], self.chance.choice((0, 1, 1))))

    def child_moves(self) -> None:
        self.child_in[self.chance.choice(sorted(self.child_in))] = self.chance.choice(sorted(self.classes))

    def child_leaves(self) -> None:
        if len(self.child_in) > 5:
            child = self.chance.choice(sorted(self.child_in))
            del self.child_in[child], self.guardians[child]

    def guardian_changes(self) -> None:
        child = self.chance.choice(sorted(self.child_in))
        self.guardians[child] ^= {f"g{self.chance.randrange(1, 12)}"}

    def curator_comes(self, to: str | None = None) -> None:
        self.curator_of[to or self.chance.choice(sorted(self.classes))].add(
            self.chance.choice(sorted(self.teachers))
        )

    def curator_goes(self) -> None:
        own = self.curator_of[self.chance.choice(sorted(self.classes))]
        if own:
            own.remove(self.chance.choice(sorted(own)))

    def teacher_leaves_the_school(self) -> None:
        if len(self.teachers) > 4:
            gone = self.chance.choice(sorted(self.teachers))
            self.teachers.remove(gone)
            for own in self.curator_of.values():
                own.discard(gone)

    def teacher_comes(self) -> None:
        self.teachers.add(f"t{self.chance.randrange(12)}")  # some have been here before

    def administrator_changes(self) -> None:
        self.administrators ^= {f"a{self.chance.randrange(3)}"}

    def class_ends(self) -> None:
        if len(self.classes) > 2:
            ended = self.chance.choice(sorted(self.classes))
            del self.classes[ended], self.curator_of[ended]
            for child in [child for child, home in self.child_in.items() if home == ended]:
                self.child_in[child] = self.chance.choice(sorted(self.classes))

    def class_comes(self) -> None:
        name = f"c{self.chance.randrange(1, 7)}"  # some have been here before
        self.classes.setdefault(name, f"{name}A")
        self.curator_of.setdefault(name, set())

    def class_is_renamed(self) -> None:
        self.count["name"] += 1
        self.classes[self.chance.choice(sorted(self.classes))] = f"N{self.count['name']}"

    def something_happens(self) -> str:
        """Rather often what happens often."""
        happens = self.chance.choice(
            (
                *(self.child_moves,) * 6,
                *(self.child_comes, self.child_leaves, self.guardian_changes) * 2,
                *(self.curator_comes, self.curator_goes) * 2,
                *(self.teacher_comes, self.teacher_leaves_the_school, self.administrator_changes),
                *(self.class_ends, self.class_comes, self.class_is_renamed),
            )
        )
        happens()
        return happens.__name__

    # ------------------------------------------------------------------------------- as rows

    def files(self) -> Files:
        at_home = sorted({guardian for some in self.guardians.values() for guardian in some})
        people = [
            *((person, "administrator", "") for person in sorted(self.administrators)),
            *((person, "teacher", "") for person in sorted(self.teachers)),
            *((child, "student", ",".join(sorted(self.guardians[child]))) for child in sorted(self.child_in)),
            *((person, "guardian", "") for person in at_home),
        ]
        enrolled = [
            *((home, child, "student", "") for child, home in sorted(self.child_in.items())),
            *(
                (home, person, "teacher", "true")
                for home, own in sorted(self.curator_of.items())
                for person in sorted(own)
            ),
        ]
        return {
            "manifest.csv": manifest(),
            "orgs.csv": "sourcedId,name,type\nnorth,North School,school\n",
            "courses.csv": "",
            "users.csv": "sourcedId,enabledUser,orgSourcedIds,role,username,givenName,familyName,agentSourcedIds\n"
            + "".join(f'{one},true,north,{role},{one},Given,Family,"{own}"\n' for one, role, own in people),
            "classes.csv": "sourcedId,title,courseSourcedId,classType,schoolSourcedId\n"
            + "".join(f"{one},{title},,homeroom,north\n" for one, title in sorted(self.classes.items())),
            "enrollments.csv": "sourcedId,classSourcedId,userSourcedId,role,primary\n"
            + "".join(f"{home}-{one},{home},{one},{role},{primary}\n" for home, one, role, primary in enrolled),
        }

    # ------------------------------------------------------------------------------- recount

    def recount(self, before: Chats) -> Chats:
        """Who belongs where by the rules E26 to E29 and A9. `before`: a chat stays when its curator goes."""
        found: Chats = {("TEACHERS", "north"): dict.fromkeys(self.teachers, False)}
        found["TEACHERS", "north"] |= dict.fromkeys(self.administrators, True)
        for name in self.classes:
            curators = dict.fromkeys(self.curator_of[name], True)
            children = [child for child, home in self.child_in.items() if home == name]
            guardians = {guardian for child in children for guardian in self.guardians[child]}
            if curators or ("GROUP", name) in before:
                found["GROUP", name] = dict.fromkeys(children, False) | curators
                found["PARENTS", name] = dict.fromkeys(guardians, False) | curators
        return found

    def names(self) -> dict[str, str]:
        return {"north": "Teachers", **self.classes}


def stored(database: Database) -> tuple[Chats, dict[str, str]]:
    """The chats as they are, and what the group chats are called."""
    found: Chats = {}
    names = {}
    with database.engine.connect() as connection:
        rows = connection.execute(
            select(chats.c.kind, groups.c.source_id.label("of"), chats.c.name, users.c.source_id)
            .add_columns(participations.c.is_administrator)
            .select_from(chats)
            .join(groups, groups.c.id == chats.c.group_id)
            .outerjoin(
                participations, (participations.c.room_id == chats.c.id) & participations.c.left_at.is_(None)
            )
            .outerjoin(users, users.c.id == participations.c.user_id)
            .where(chats.c.ended_at.is_(None))
        )
        for row in rows:
            people = found.setdefault((row.kind, row.of), {})
            if row.source_id is not None:
                assert row.source_id not in people
                people[row.source_id] = bool(row.is_administrator)
            if row.kind != "PARENTS":
                names[row.of] = row.name
    return found, names


@pytest.mark.parametrize("seed", [2026])
def test_E34_a_year_of_a_school(tmp_path: Path, seed: int) -> None:
    chance, watch = Random(seed), Watch(BEGIN)
    roster = Roster(chance)
    imports = Imports(tmp_path, watch)
    days = set(chance.sample(range(1, NIGHTS), ROSTERS))
    happened = Counter[str]()
    before: Chats = {}
    imports.take(roster.files())
    for day in range(NIGHTS):
        if day in days:
            happened.update(roster.something_happens() for _ in range(chance.randrange(1, 6)))
            imports.take(roster.files())
            assert stored(imports.database)[0] == before  # nothing moves by day
        watch.now += DAY
        [night] = run_nights(imports.database)
        assert run_nights(imports.database) == []
        now, names = stored(imports.database)
        assert now == roster.recount(before), night.line()
        assert names == {of: roster.names()[of] for of in names}
        moved = night.joined + night.left + night.chats_created + night.chats_changed + night.chats_ended
        assert bool(moved) <= (day in days or day == 0)
        before = now
    assert len(happened) == 12
    assert min(happened.values()) > 2
