"""Who may start with whom? Every pair of a cast, under every preset, against tables written by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Select, or_, select, text, update
from sqlalchemy.dialects import sqlite

from jobs.roster import import_roster
from models.actor import Viewer, standing
from models.database import Database, Transaction
from models.decide_messages import decide_start
from models.errors import Code
from models.groups import rebuild_tree
from models.organization import organization, set_policy
from models.people_scopes import visible_people
from models.presets import PRESETS
from models.reach import audiences_in_reach, may_address, may_start, people_in_reach, reach_each_other
from models.tables.people import GroupKind, Position, group_ancestors, groups, memberships, users
from tests.engines import on_postgresql
from tests.reach_by_hand import (
    BELONG_TO,
    BY_HAND,
    CHILDREN,
    EVERY_GROUP,
    EVERYBODY,
    may_address_by_hand,
    teachers_in,
)
from tests.reach_school import GONE, ReachSchool
from tests.small_school import database_at, dump

NOW = datetime(2026, 9, 10, 7, 0, tzinfo=UTC)
Pairs = set[tuple[str, str]]

one, other = users.alias("one"), users.alias("other")


@pytest.fixture(scope="module", params=list(PRESETS))
def school(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReachSchool:
    return _school(tmp_path_factory.mktemp("reach"), request.param)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> ReachSchool:
    return _school(tmp_path_factory.mktemp("reach"), "ENT")


@pytest.fixture
def own_school(tmp_path: Path) -> Callable[[str], ReachSchool]:
    """A school that the test may change."""
    return partial(_school, tmp_path)


def _school(path: Path, preset: str) -> ReachSchool:
    return ReachSchool(database_at(path, lambda: NOW), path, preset)


def pairs(school: ReachSchool, condition: Callable[..., ColumnElement[bool]], viewer: Viewer) -> Pairs:
    """All pairs for which the condition holds, of the school's people with each other and with those next door."""
    of_school = or_(one.c.organization_id == school.id, other.c.organization_id == school.id)
    query = select(one.c.id, other.c.id.label("other")).join_from(one, other, of_school)
    with school.database.transaction() as tx:
        found = tx.execute(query.where(condition(viewer, one.c.id, other.c.id))).all()
    return {(school.people[row.id], school.people[row.other]) for row in found}


def by_hand(preset: str) -> Pairs:
    return {(starter, reached) for starter in EVERYBODY for reached in BY_HAND[preset](starter)}


def preset_of(school: ReachSchool) -> str:
    with school.database.transaction() as tx:
        return organization(tx, school.id).preset


def test_every_pair_reaches_as_the_document_says(school: ReachSchool) -> None:
    """E1, E2, P2, P7, P8, P9, I1, I2, I3, MA8; nobody of the school next door, either way."""
    expected = by_hand(preset_of(school))
    assert pairs(school, may_start, school.viewer("head")) == expected
    assert pairs(school, may_start, school.viewer("l.none")) == expected, "whoever asks"


def test_how_the_viewer_stands_may_be_read_once(school: ReachSchool) -> None:
    viewer = school.viewer("head")
    knowing = Viewer(viewer.id, viewer.organization_id, known=standing(viewer).cte("asker"))
    assert pairs(school, may_start, knowing) == by_hand(preset_of(school))


def test_reaching_each_other_is_reaching_either_way(school: ReachSchool) -> None:
    reach = {pair for pair in by_hand(preset_of(school)) if pair[0] != pair[1]}
    found = pairs(school, reach_each_other, school.viewer("head"))
    assert {pair for pair in found if pair[0] != pair[1]} == reach | {(end, start) for start, end in reach}


def test_people_in_reach_and_decisions_agree_on_every_pair(school: ReachSchool) -> None:
    """The list of people and `decide_start`: both are the table, without who is deactivated (PA7, I12)."""
    table = BY_HAND[preset_of(school)]
    for starter in EVERYBODY - {*GONE}:
        actor, listed = school.actor(starter), _people_in_reach(school, starter)
        assert listed == table(starter) - {*GONE}, starter
        for reached in EVERYBODY:
            starts, is_started = reached in table(starter), starter in table(reached)
            code = decide_start(actor, starts=starts, other_starts=is_started, is_active=reached not in GONE)
            assert (code is None) == (reached in listed), (starter, reached)
            if reached in GONE:
                assert code is Code.COUNTERPART_GONE
            elif not starts:
                assert code is (Code.CANNOT_START if is_started else Code.OUT_OF_REACH)


def test_every_rule_has_somebody_on_whom_it_is_tried(school: ReachSchool) -> None:
    """But those for positions that nobody can hold in groups of that kind, however a roster is written."""
    with school.database.transaction() as tx:
        policy = organization(tx, school.id).policy
        held = {(row.kind, row.position) for row in tx.execute(_positions_held())}
    curators_elsewhere = {(kind, Position.CURATOR) for kind in (GroupKind.ORGANIZATION, GroupKind.SUBGROUP)}
    experts_elsewhere = {(kind, Position.EXPERT) for kind in (GroupKind.ORGANIZATION, GroupKind.CYCLE)}
    owners_elsewhere = {(GroupKind.CYCLE, Position.OWNER)}
    wanted = {
        (rule.group_kind, position) for rule in policy.reach for position in (rule.from_position, rule.to_position)
    }
    assert wanted - held <= curators_elsewhere | experts_elsewhere | owners_elsewhere


def _positions_held() -> Select[Any]:
    return (
        select(groups.c.kind, memberships.c.position)
        .join(groups, groups.c.id == memberships.c.group_id)
        .distinct()
    )


def _people_in_reach(school: ReachSchool, login: str) -> set[str]:
    with school.database.transaction() as tx:
        found = tx.execute(people_in_reach(school.viewer(login)).with_only_columns(users.c.login)).scalars().all()
    assert len(found) == len(set(found)), "each once"
    return set(found)


# ------------------------------------------------------------------------------------------ audiences


def _audiences(school: ReachSchool, login: str) -> list[tuple[str, str]]:
    offered = audiences_in_reach(school.viewer(login)).subquery()
    query = select(groups.c.source_id, offered.c.position).join(groups, groups.c.id == offered.c.group_id)
    with school.database.transaction() as tx:
        return [(row.source_id, row.position) for row in tx.execute(query)]


def _places(tx: Transaction, school: ReachSchool) -> dict[tuple[str, str], bool]:
    """Every group of the school with every position -> whether somebody active is there."""
    everywhere = select(groups.c.source_id).where(groups.c.organization_id == school.id)
    active = (
        select(groups.c.source_id, memberships.c.position)
        .join_from(memberships, groups, groups.c.id == memberships.c.group_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(groups.c.organization_id == school.id, users.c.deactivated_at.is_(None))
    )
    there = {(row.source_id, row.position) for row in tx.execute(active)}
    named = tx.execute(everywhere).scalars().all()
    return {(group, position): (group, position) in there for group in named for position in Position}


def test_M2_M5_audiences_in_reach_are_those_of_the_table(portal: ReachSchool) -> None:
    """Only those in which somebody is; the members of `maths` who teach there are one that is active."""
    with portal.database.transaction() as tx:
        places = _places(tx, portal)
    assert places["hill", "OWNER"] and not places["hill", "EXPERT"] and not places["team", "TEACHER"]
    for login in EVERYBODY - {*GONE}:
        expected = {place for place, is_held in places.items() if is_held and may_address_by_hand(login, *place)}
        offered = _audiences(portal, login)
        assert set(offered) == expected, login
        assert len(offered) == len(expected), "each once"


def test_audiences_may_be_addressed_exactly_where_they_are_offered(portal: ReachSchool) -> None:
    with portal.database.transaction() as tx:
        places = _places(tx, portal)
        for login in ("t.idle", "nurse", "head", "l.1a", "l.team", "g.two", "t.father"):
            viewer = portal.viewer(login)
            for position in Position:
                may = may_address(viewer, groups.c.id, position)
                found = set(tx.execute(select(groups.c.source_id).where(may)).scalars())
                for group in (group for group in EVERY_GROUP if places[group, position]):
                    assert (group in found) == may_address_by_hand(login, group, position), (
                        login,
                        group,
                        position,
                    )


def test_nobody_addresses_an_audience_next_door_or_of_a_group_that_ended(
    own_school: Callable[[str], ReachSchool],
) -> None:
    school = own_school("ENT")
    ended = groups.c.source_id == "choir"
    with school.database.transaction() as tx:
        tx.execute(update(groups).where(ended).values(ended_at=tx.now))
        rebuild_tree(tx, school.id)
        beyond = or_(ended, groups.c.organization_id != school.id)
        addressed = select(groups.c.id).where(beyond, may_address(school.viewer("head"), groups.c.id, "LEARNER"))
        assert tx.execute(addressed).all() == []
    assert not {group for group, _ in _audiences(school, "head")} & {"choir", "9d", "dale"}


def test_an_audience_whose_people_are_all_gone_is_not_offered(own_school: Callable[[str], ReachSchool]) -> None:
    school = own_school("ENT")
    assert ("paint", "TEACHER") in _audiences(school, "head")
    with school.database.transaction() as tx:
        tx.execute(update(users).where(users.c.login == "t.paint").values(deactivated_at=tx.now))
    assert ("paint", "TEACHER") not in _audiences(school, "head")


# ---------------------------------------------------------------------------------------------- knobs


def _turn(school: ReachSchool, **knobs: Any) -> None:
    with school.database.transaction() as tx:
        now = organization(tx, school.id)
        set_policy(tx, school.id, now.preset, now.policy.with_knobs(knobs))


def test_knobs_of_reach_are_effective_at_once(own_school: Callable[[str], ReachSchool]) -> None:
    """Oneself (P2), guardian and child (MA8), audiences (M2): data of the organization, not of a name."""
    school = own_school("ENT")
    assert {"l.none", "g.none"} <= _people_in_reach(school, "l.none")
    assert "g.none" in _visible(school, "l.none")
    _turn(school, selfMessages=False)
    assert _people_in_reach(school, "l.none") & {"l.none", "g.none"} == {"g.none"}
    _turn(school, guardianReachesChild=False)
    assert not _people_in_reach(school, "l.none") & {"l.none", "g.none"}
    assert "g.none" not in _visible(school, "l.none")
    _turn(school, audiencesAsRecipients=False)
    assert _audiences(school, "head") == []
    _turn(school, selfMessages=True, guardianReachesChild=True, reach=[])
    assert _people_in_reach(school, "l.none") == {"l.none", "g.none"}
    assert pairs(school, may_start, school.viewer("head")) == {
        *((login, login) for login in EVERYBODY),
        *(("l.none", "g.none"), ("g.none", "l.none")),
    } | {pair for pair in _guardianships() if "none" not in pair[0]}


def _guardianships() -> Pairs:
    found = {(guardian, child) for guardian, children in CHILDREN.items() for child in children}
    return found | {(child, guardian) for guardian, child in found}


def _visible(school: ReachSchool, login: str) -> set[str]:
    with school.database.transaction() as tx:
        visible = visible_people(school.viewer(login)).with_only_columns(users.c.login)
        return set(tx.execute(visible).scalars())


def test_rules_mixed_by_an_organization_reach_what_they_say(own_school: Callable[[str], ReachSchool]) -> None:
    """A rule that descends from any kind of group, to any position."""
    school = own_school("CAMPUS")
    rule = {"fromPosition": "TEACHER", "groupKind": "CYCLE", "toPosition": "GUARDIAN"}
    _turn(school, selfMessages=False, reach=[{**rule, "descend": True}])
    assert pairs(school, may_start, school.viewer("head")) == {
        *(
            (teacher, guardian)
            for teacher in teachers_in("low")
            for guardian in ("g.one", "g.two", "g.b", "t.father")
        ),
        *((teacher, "g.two") for teacher in teachers_in("high")),
    }


# ------------------------------------------------------------------------------- what the roster changes


def _end(tx: Transaction, school: ReachSchool, login: str, group: str) -> None:
    there = select(groups.c.id).where(groups.c.source_id == group).scalar_subquery()
    held = update(memberships).where(
        memberships.c.user_id == school.numbers[login], memberships.c.group_id == there
    )
    assert tx.execute(held.values(until=tx.now)).rowcount == 1


def test_PA3_I12_reach_ends_with_the_membership(own_school: Callable[[str], ReachSchool]) -> None:
    school = own_school("ISPRING")
    assert "trainer" in _people_in_reach(school, "l.1a")
    with school.database.transaction() as tx:
        _end(tx, school, "trainer", "safety")
    assert "trainer" not in _people_in_reach(school, "l.1a")
    both = {("l.1a", "trainer"), ("trainer", "l.1a")}
    assert not pairs(school, may_start, school.viewer("l.1a")) & both


def test_IA3_a_department_takes_its_learners_along(own_school: Callable[[str], ReachSchool]) -> None:
    school = own_school("ISPRING")
    assert _people_in_reach(school, "arts.chief") == {"l.arts", "l.choir"}
    with school.database.transaction() as tx:
        _move(tx, "music", "sports")
        rebuild_tree(tx, school.id)
    assert _people_in_reach(school, "arts.chief") == {"l.arts"}
    assert _people_in_reach(school, "music.chief") == {"l.choir"}
    _import_again(school)
    assert _people_in_reach(school, "arts.chief") == {"l.arts", "l.choir"}, "the roster says where it belongs"


def _move(tx: Transaction, group: str, above: str) -> None:
    there = select(groups.c.id).where(groups.c.source_id == above).scalar_subquery()
    tx.execute(update(groups).where(groups.c.source_id == group).values(parent_id=there))


def _import_again(school: ReachSchool) -> None:
    import_roster(school.database, school.roster)


def test_the_tree_holds_every_live_group_with_all_above_it(own_school: Callable[[str], ReachSchool]) -> None:
    school = own_school("ISPRING")
    below = {(group, above) for above, all_below in BELONG_TO.items() for group in all_below}
    further = {("choir", "arts"), *((group, "hill") for group in EVERY_GROUP - {"hill"})}
    assert _tree(school) == below | further | {(group, group) for group in EVERY_GROUP}
    with school.database.transaction() as tx:
        tx.execute(update(groups).where(groups.c.source_id == "music").values(ended_at=tx.now))
        rebuild_tree(tx, school.id)
    assert {above for group, above in _tree(school) if group == "choir"} == {"choir"}, "nothing beyond what ended"
    assert "music" not in {name for pair in _tree(school) for name in pair}


def _tree(school: ReachSchool) -> Pairs:
    group, above = groups.alias("group"), groups.alias("above")
    query = (
        select(group.c.source_id.label("lower"), above.c.source_id.label("upper"))
        .join_from(group_ancestors, group, group.c.id == group_ancestors.c.group_id)
        .join(above, above.c.id == group_ancestors.c.ancestor_id)
        .where(group_ancestors.c.organization_id == school.id)
    )
    with school.database.transaction() as tx:
        return {(row.lower, row.upper) for row in tx.execute(query)}


def test_the_same_tree_again_writes_nothing(own_school: Callable[[str], ReachSchool]) -> None:
    school = own_school("ISPRING")
    before = dump(school.database)["group_ancestors"]
    with school.database.transaction() as tx:
        rebuild_tree(tx, school.id)
        if not on_postgresql():
            assert tx.execute(text("SELECT total_changes()")).scalar_one() == 0
    _import_again(school)
    assert dump(school.database)["group_ancestors"] == before


# ------------------------------------------------------------------------------------------------ speed


@pytest.mark.sqlite
def test_no_question_of_reach_walks_through_everybody(portal: ReachSchool) -> None:
    """People are looked up, never compared with everybody: no table of theirs is read from end to end."""
    viewer = portal.viewer("l.1a")
    offered = audiences_in_reach(viewer).subquery()
    questions = [
        select(may_start(viewer, viewer.id, portal.numbers["t.1a"])),
        select(may_start(viewer, portal.numbers["t.1a"], viewer.id)),
        people_in_reach(viewer).where(users.c.login.like("t%")).limit(20),
        select(offered).where(offered.c.position == Position.TEACHER).limit(20),
        select(may_address(viewer, 1, Position.TEACHER)),
    ]
    for question in questions:
        for step in _plan(portal.database, question):
            assert not step.startswith("SCAN") or step in ("SCAN CONSTANT ROW", "SCAN given"), step


def _plan(database: Database, question: Select[Any]) -> list[str]:
    compiled = question.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with database.engine.connect() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert steps
    return [str(step[-1]) for step in steps]
