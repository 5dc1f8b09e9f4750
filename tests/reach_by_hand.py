"""Who reaches whom at the school of `reach_school`? Written by hand from the five documents, in plain Python.

First the school as somebody would tell it, then one table per system: for a person, all whom he may start with.
Nothing is shared with `models`: no memberships, no rules, no knobs.
"""

from collections.abc import Iterable

BELONG_TO = {
    "hill": ("low", "high", "arts", "sports", "paint", "safety", "cook"),
    "low": ("1a", "1b", "maths"),
    "high": ("2a",),
    "arts": ("music",),
    "music": ("choir",),
    "sports": ("team",),
}
"""Group -> the groups right below it."""
EVERY_GROUP = {"hill", *(group for below in BELONG_TO.values() for group in below)}

LEARNERS = ("l.1a", "l.1a.2", "l.1b", "l.2a", "l.2a.2", "l.choir", "l.team", "l.arts", "l.none", "l.gone")
TEACHERS = (
    *("music.chief", "t.1a", "t.1a.2", "t.1b", "t.2a", "t.choir"),
    *("t.maths", "t.paint", "t.high", "t.idle", "t.father", "t.gone"),
)
STAFF = ("owner", "nurse", "dean", "arts.chief", "trainer", "chef")
ADMINISTRATORS = ("head", "deputy")
PERSONNEL = {*TEACHERS, *STAFF, *ADMINISTRATORS}
CHILDREN = {
    "g.one": ("l.1a",),
    "g.two": ("l.1a", "l.2a"),
    "g.b": ("l.1a.2", "l.gone"),
    "g.choir": ("l.choir",),
    "g.none": ("l.none",),
    "t.father": ("l.1b",),  # a teacher, and somebody's father
}
EVERYBODY = {*LEARNERS, *PERSONNEL, *CHILDREN}

CURATOR = {"1a": "t.1a", "1b": "t.1b", "2a": "t.2a", "choir": "t.choir"}
TEACH = {
    "1a": ("t.1a", "t.1a.2"),
    "1b": ("t.1b",),
    "2a": ("t.2a",),
    "choir": ("t.choir",),
    "maths": ("t.maths", "t.gone"),
    "paint": ("t.paint",),
}
LEARN = {
    "1a": ("l.1a", "l.1a.2", "l.gone"),
    "1b": ("l.1b",),
    "2a": ("l.2a", "l.2a.2"),
    "choir": ("l.choir",),
    "team": ("l.team",),
    "maths": ("l.1a", "l.gone"),
    "paint": ("l.1a.2", "l.2a"),
}
CLASSES = ("1a", "1b", "2a", "choir", "team")

IN_COURSE = {"safety": ("l.1a", "l.team"), "cook": ("l.2a", "l.none")}
EXPERTS = {"safety": ("trainer",), "cook": ("chef",)}

GROUPS_OF_CYCLE = {"low": ("1a", "1b", "maths"), "high": ("2a",)}
CYCLE_TEACHERS = {"low": (), "high": ("t.high",)}
"""Who teaches in the cycle beside those of its groups."""
CYCLE_STAFF = {"low": ("nurse",), "high": ()}
CYCLE_ADMINISTRATORS = {"low": ("deputy", "dean"), "high": ("dean",)}

DEPARTMENT_CHIEFS = {"arts": "arts.chief", "music": "music.chief"}
IN_DEPARTMENT = {"arts": ("l.arts", "l.choir"), "music": ("l.choir",), "sports": ("l.team",)}
"""Music is a part of the arts."""


def guardians_of(learners: Iterable[str]) -> set[str]:
    return {guardian for guardian, children in CHILDREN.items() if set(children) & set(learners)}


def lessons_of(learner: str) -> list[str]:
    """The classes and subgroups in which he learns."""
    return [group for group, learners in LEARN.items() if learner in learners]


def lessons_by(teacher: str) -> list[str]:
    return [group for group, teachers in TEACH.items() if teacher in teachers]


def classmates_of(learner: str) -> set[str]:
    return {other for group in lessons_of(learner) if group in CLASSES for other in LEARN[group]}


def teachers_of(learner: str) -> set[str]:
    return {teacher for group in lessons_of(learner) for teacher in TEACH.get(group, ())}


def teachers_in(cycle: str) -> set[str]:
    groups = GROUPS_OF_CYCLE[cycle]
    return {teacher for group in groups for teacher in TEACH[group]} | {*CYCLE_TEACHERS[cycle]}


def learners_in(cycle: str) -> set[str]:
    return {learner for group in GROUPS_OF_CYCLE[cycle] for learner in LEARN[group]}


def school_edition(one: str) -> set[str]:
    """E1: everybody talks to parents, students and staff of the organization."""
    return EVERYBODY - {one}


def college_edition(one: str) -> set[str]:
    """E2: personnel among themselves, teachers with the learners of their groups and their parents; learners and
    parents with those teachers; the administration with everybody, both ways."""
    reached: set[str] = set()
    if one in PERSONNEL:
        reached |= PERSONNEL
    if one in ADMINISTRATORS:
        reached |= EVERYBODY
    for group in lessons_by(one):
        reached |= {*LEARN[group]} | guardians_of(LEARN[group])
    if one in LEARNERS:
        reached |= teachers_of(one) | {*ADMINISTRATORS}
    for child in CHILDREN.get(one, ()):
        reached |= teachers_of(child) | {*ADMINISTRATORS}
    return reached - {one}


def campus(one: str) -> set[str]:
    """P2, P7, P8, P9, PA4, PA5: oneself; the rest depends on class, subject and cycle."""
    reached = {one}
    if one in LEARNERS:
        reached |= classmates_of(one) | teachers_of(one)
        for cycle, administrators in CYCLE_ADMINISTRATORS.items():
            if one in learners_in(cycle):
                reached |= {*administrators}
    if one in TEACHERS:
        for group in lessons_by(one):
            reached |= {*LEARN[group]}
        for cycle, administrators in CYCLE_ADMINISTRATORS.items():
            if one in teachers_in(cycle):
                reached |= teachers_in(cycle) | {*administrators}
    for cycle, administrators in CYCLE_ADMINISTRATORS.items():
        if one in administrators:
            reached |= learners_in(cycle) | guardians_of(learners_in(cycle)) | teachers_in(cycle)
            reached |= {*CYCLE_STAFF[cycle], *administrators}
    return reached


def training(one: str) -> set[str]:
    """I1, I2, I3, IA3, IA7: the owner and administrators with learners, chiefs of departments with the learners
    of these and of what belongs to them, learners with the experts of their courses."""
    reached: set[str] = set()
    if one == "owner" or one in ADMINISTRATORS:
        reached |= {*LEARNERS}
    for department, chief in DEPARTMENT_CHIEFS.items():
        if one == chief:
            reached |= {*IN_DEPARTMENT[department]}
    for course, learners in IN_COURSE.items():
        if one in learners:
            reached |= {*EXPERTS[course]}
    return reached


def portal(one: str) -> set[str]:
    """MA8, and oneself: personnel reach everybody; learners their class, its teachers, their own parents and all
    staff; parents the teachers of their children, all staff and their own children."""
    reached = {one}
    if one in PERSONNEL:
        reached |= EVERYBODY
    if one in LEARNERS:
        reached |= classmates_of(one) | teachers_of(one) | guardians_of([one]) | {*STAFF, *ADMINISTRATORS}
    for child in CHILDREN.get(one, ()):
        reached |= teachers_of(child) | {child} | {*STAFF, *ADMINISTRATORS}
    return reached


BY_HAND = {
    "EPOS_SCHOOL": school_edition,
    "EPOS_COLLEGE": college_edition,
    "CAMPUS": campus,
    "ISPRING": training,
    "ENT": portal,
}


def may_address_by_hand(one: str, group: str, position: str) -> bool:
    """M2, M5, MA8, for an audience in which somebody is: personnel address all; learners the learners of their
    class; learners and guardians the teachers and curators of what they or their children learn, and staff and
    administrators of any part of the school, never of all of it."""
    if one in PERSONNEL:
        return True
    if group == "hill":
        return False
    if position in ("STAFF", "ADMINISTRATOR"):
        return True
    learns = [one] if one in LEARNERS else CHILDREN.get(one, ())
    lessons = [lesson for learner in learns for lesson in lessons_of(learner)]
    if position in ("TEACHER", "CURATOR"):
        return group in lessons
    return position == "LEARNER" and one in LEARNERS and group in CLASSES and group in lessons
