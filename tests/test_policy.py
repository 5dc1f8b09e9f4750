"""What may an organization turn, and what does each preset set? The table of knobs, typed in by hand."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from app.commands.knobs import changed, knob_lines
from app.commands.mistake import Mistake
from models.database import Database
from models.groups import rebuild_tree
from models.migrate import configuration, migrate
from models.organization import organization, set_policy
from models.policy import Policy, read_policy
from models.presets import PRESETS
from models.tables.organization import organizations, reach_rules
from models.tables.people import GroupKind, Position
from tests.engines import new_url
from tests.school import NOW, school_database
from tests.small_school import database_at, dump

HERE = Path(__file__).parent.parent

Rule = tuple[str, str, str, bool]

ANY = "LEARNER TEACHER CURATOR GUARDIAN STAFF ADMINISTRATOR OWNER EXPERT"

REACH = {
    "EPOS_SCHOOL": [(ANY, "ORGANIZATION", ANY)],
    "EPOS_COLLEGE": [
        ("TEACHER STAFF ADMINISTRATOR", "ORGANIZATION", "TEACHER STAFF ADMINISTRATOR"),
        ("TEACHER CURATOR", "CLASS SUBGROUP", "LEARNER GUARDIAN"),
        ("ADMINISTRATOR", "ORGANIZATION", ANY),
        ("LEARNER GUARDIAN", "CLASS SUBGROUP", "TEACHER CURATOR"),
        ("LEARNER GUARDIAN", "ORGANIZATION", "ADMINISTRATOR"),
    ],
    "CAMPUS": [
        ("LEARNER", "CLASS", "LEARNER TEACHER CURATOR"),
        ("LEARNER", "SUBGROUP", "TEACHER"),
        ("LEARNER", "CYCLE", "ADMINISTRATOR"),
        ("TEACHER CURATOR", "CLASS SUBGROUP", "LEARNER"),
        ("TEACHER", "CYCLE", "TEACHER ADMINISTRATOR"),
        ("ADMINISTRATOR", "CYCLE", ANY),
    ],
    "ISPRING": [
        ("OWNER ADMINISTRATOR", "ORGANIZATION", "LEARNER"),
        ("ADMINISTRATOR", "DEPARTMENT (descend)", "LEARNER"),
        ("LEARNER", "COURSE", "EXPERT"),
    ],
    "ENT": [
        ("STAFF TEACHER ADMINISTRATOR", "ORGANIZATION", ANY),
        ("LEARNER", "CLASS", "LEARNER"),
        ("LEARNER GUARDIAN", "CLASS SUBGROUP", "TEACHER CURATOR"),
        ("LEARNER GUARDIAN", "ORGANIZATION", "STAFF ADMINISTRATOR"),
    ],
}

CHATS = ["TEACHERS", "GROUP", "PARENTS", "SUBGROUP", "CUSTOM"]

KNOBS: dict[str, tuple[Any, Any, Any, Any]] = {
    # knob                     both EPOS           CAMPUS          ISPRING                   ENT
    "messagingEnabled":       (True,               True,           True,                     True),
    "lockdown":               (False,              False,          False,                    False),
    "reply":                  ("ALWAYS",           "WITHIN_REACH", "WHILE_EITHER_MAY_START", "ALWAYS"),
    "guardianReachesChild":   (False,              False,          False,                    True),
    "linkRequirement":        ("ACT",              "NONE",         "NONE",                   "NONE"),
    "conversationKinds":      (["DIRECT", "GROUP"], ["DIRECT"],    ["DIRECT"],               ["MAIL"]),
    "selfMessages":           (False,              True,           False,                    True),
    "audiencesAsRecipients":  (False,              False,          False,                    True),
    "attachments":            (True,               False,          False,                    True),
    "bodyFormat":             ("TEXT",             "TEXT",         "TEXT",                   "RICH"),
    "messageDeletion":        ("NONE",             "NONE",         "FOR_ME",                 "TRASH"),
    "conversationDeletion":   (False,              False,          True,                     False),
    "historyAfterLeaving":    (True,               False,          False,                    False),
    "chatKinds":              (CHATS,              [],             [],                       []),
    "callVisibility":         ("CREATED_AND_PUBLISHED",) * 4,
    "newsFeed":               (False,              False,          False,                    True),
    "mostRecipients":         (5000,) * 4,
    "mostAttachmentBytes":    (26_214_400,) * 4,
    "retentionDays":          (None,) * 4,
    "safeguardingPosition":   ("ADMINISTRATOR",) * 4,
}  # fmt: skip

SYSTEMS = {"EPOS_SCHOOL": 0, "EPOS_COLLEGE": 0, "CAMPUS": 1, "ISPRING": 2, "ENT": 3}


def rules_of(preset: str) -> set[Rule]:
    return {
        (start, kind, end, "(descend)" in kinds)
        for starts, kinds, ends in REACH[preset]
        for start in starts.split()
        for kind in kinds.removesuffix(" (descend)").split()
        for end in ends.split()
    }


# ------------------------------------------------------------------------------------------- presets


@pytest.mark.parametrize("preset", SYSTEMS)
def test_a_preset_is_what_the_table_says(preset: str) -> None:
    document = PRESETS[preset].document()
    rules = document.pop("reach")
    assert document == {knob: values[SYSTEMS[preset]] for knob, values in KNOBS.items()}
    listed = [
        tuple(rule[part] for part in ("fromPosition", "groupKind", "toPosition", "descend")) for rule in rules
    ]
    assert set(listed) == rules_of(preset)
    assert len(listed) == len(set(listed))


def test_there_are_five_presets_and_each_is_a_valid_policy() -> None:
    assert set(PRESETS) == set(SYSTEMS)
    for policy in PRESETS.values():
        assert read_policy(json.dumps(policy.document())) == policy


def test_the_database_keeps_a_policy_and_its_rules_whole(tmp_path: Path) -> None:
    database = database_at(tmp_path, lambda: NOW)
    with database.transaction() as tx:
        values = {"name": "School", "time_zone": "UTC", "locale": "en", "preset": "", "policy": {}}
        tx.execute(organizations.insert().values(id=1, source_id="1", imported_at=tx.now, **values))
        for preset, policy in PRESETS.items():
            set_policy(tx, 1, preset, policy)
            assert organization(tx, 1).policy == policy
            stored = {
                (row.from_position, row.group_kind, row.to_position, row.descend)
                for row in tx.execute(reach_rules.select())
            }
            assert stored == rules_of(preset)


# ------------------------------------------------- a preset's name is data: no code asks for it


def test_only_the_presets_know_their_names() -> None:
    """Beside them a name only stands where a school is told what to follow: by the command line when nothing else
    is said, and by the demo; and where it is said under which policy the rules are printed."""
    known = {
        path.relative_to(HERE).as_posix()
        for layer in ("app", "schema", "resolvers", "jobs", "models")
        for path in (HERE / layer).rglob("*.py")
        if not PRESETS.keys().isdisjoint(_words(path))
    }
    assert {place for place in known if not place.startswith("jobs/demo/")} == {
        "models/presets.py",
        "models/authorization/tried.py",
        "jobs/roster/wishes.py",
    }


def _words(path: Path) -> Iterator[str]:
    """The words of all texts but docstrings, and all names."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield from "".join(each if each.isalnum() or each == "_" else " " for each in node.value).split()
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


# --------------------------------------------------------------------------------------------- knobs


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("mostRecipients", 0),
        ("mostRecipients", -1),
        ("mostRecipients", 100_001),
        ("mostRecipients", 10**30),
        ("mostRecipients", 2.5),
        ("mostRecipients", "12"),
        ("mostRecipients", True),
        ("mostRecipients", None),
        ("mostAttachmentBytes", 0),
        ("mostAttachmentBytes", 1024**3 + 1),
        ("lockdown", "yes"),
        ("lockdown", 1),
        ("newsFeed", None),
        ("conversationKinds", ["DIRECT", "DIRECT"]),
        ("conversationKinds", ["CHAT"]),
        ("conversationKinds", ["LETTER"]),
        ("conversationKinds", "DIRECT"),
        ("chatKinds", ["GROUP", "CUSTOM", "GROUP"]),
        ("reply", "SOMETIMES"),
        ("reply", "always"),
        ("bodyFormat", "HTML"),
        ("messageDeletion", "FOR_ALL"),
        ("reach", [{"fromPosition": "LEARNER", "groupKind": "CLASS"}]),
        ("reach", [{"fromPosition": "HEAD", "groupKind": "CLASS", "toPosition": "LEARNER"}]),
        ("reach", [{"fromPosition": "LEARNER", "groupKind": "CLASS", "toPosition": "LEARNER", "descend": "up"}]),
        ("noSuchKnob", True),
    ],
)
def test_a_knob_takes_only_what_it_means(knob: str, value: Any) -> None:
    with pytest.raises(ValueError, match=knob) as refused:
        PRESETS["EPOS_SCHOOL"].with_knobs({knob: value})
    assert "\n" not in str(refused.value)


def test_numbers_go_from_one_to_their_bound() -> None:
    policy = Policy().with_knobs({"mostRecipients": 1, "mostAttachmentBytes": 1024**3})
    assert (policy.most_recipients, policy.most_attachment_bytes) == (1, 1024**3)


def test_a_rule_that_is_there_with_and_without_its_descent_descends() -> None:
    rule = {"fromPosition": "STAFF", "groupKind": "CYCLE", "toPosition": "LEARNER"}
    (only,) = Policy().with_knobs({"reach": [rule, {**rule, "descend": True}, rule]}).reach
    assert only.descend
    assert (only.from_position, only.group_kind, only.to_position) == (
        Position.STAFF,
        GroupKind.CYCLE,
        Position.LEARNER,
    )


def test_a_policy_that_says_nothing_offers_nothing() -> None:
    """What an organization does not choose is closed."""
    nothing = Policy()
    assert not nothing.conversation_kinds
    assert not nothing.chat_kinds
    assert not nothing.reach
    on = [name for name, value in nothing.document().items() if value is True]
    assert on == ["messagingEnabled"]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_command_line_shows_and_takes_every_knob(preset: str) -> None:
    """What it prints is what it takes: a policy is copied knob by knob."""
    policy = PRESETS[preset]
    lines = list(knob_lines(policy))
    shown = [line for line in lines if "=" in line]
    assert [line.partition("=")[0] for line in shown] == [knob for knob in policy.document() if knob != "reach"]
    copied, knobs = changed(Policy(), shown)
    assert copied == policy.model_copy(update={"reach": ()})
    assert len(knobs) == len(shown)
    assert [line for line in lines if "=" not in line], "and its rules of reach, in words"


def test_the_command_line_takes_a_rule_that_descends() -> None:
    rule = "{fromPosition: ADMINISTRATOR, groupKind: DEPARTMENT, toPosition: LEARNER, descend: true}"
    policy, _ = changed(Policy(), [f"reach={rule}"])
    assert [*knob_lines(policy, ["reach"])] == ["reach: ADMINISTRATOR @DEPARTMENT (descend) -> LEARNER"]


def test_the_command_line_says_where_a_rule_descends() -> None:
    assert [*knob_lines(PRESETS["ISPRING"], ["reach"])] == [
        "reach: ADMINISTRATOR, OWNER @ORGANIZATION -> LEARNER",
        "reach: LEARNER @COURSE -> EXPERT",
        "reach: ADMINISTRATOR @DEPARTMENT (descend) -> LEARNER",
    ]


@pytest.mark.parametrize(
    "assignment", ["mostRecipients=0", 'mostRecipients="9"', "conversationKinds=[MAIL, MAIL]"]
)
def test_the_command_line_refuses_what_a_knob_does_not_take(assignment: str) -> None:
    with pytest.raises(Mistake, match=assignment.partition("=")[0]):
        changed(Policy(), [assignment])


# ------------------------------------------------------------------------- policies of an older database


@pytest.mark.sqlite
def test_a_policy_of_before_reads_with_the_knobs_of_its_preset(tmp_path: Path) -> None:
    """And what was turned stays turned; groups of before know what lies above them."""
    database = school_database(new_url(tmp_path, "old"))
    turned = {"lockdown": True, "chatKinds": ["GROUP"]}
    with database.engine.connect() as connection:
        command.upgrade(configuration(connection), "0003")
        for number, (preset, knobs) in enumerate([("EPOS_SCHOOL", {}), ("EPOS_COLLEGE", turned)], start=1):
            _old_organization(connection, number, preset, knobs)
    migrate(database.engine)
    with database.transaction() as tx:
        assert organization(tx, 1).policy == PRESETS["EPOS_SCHOOL"]
        assert organization(tx, 2).policy == PRESETS["EPOS_COLLEGE"].with_knobs(turned)
        assert tx.execute(text("SELECT count(*) FROM reach_rules WHERE descend")).scalar_one() == 0
        tree = tx.execute(text("SELECT group_id, ancestor_id FROM group_ancestors ORDER BY 1, 2")).all()
    assert [tuple(pair) for pair in tree] == [
        *((11, 11), (12, 11), (12, 12), (13, 11), (13, 12), (13, 13), (15, 15)),
        *((21, 21), (22, 21), (22, 22), (23, 21), (23, 22), (23, 23), (25, 25)),
    ]
    _assert_the_rules_agree(database)


def _old_organization(connection: Any, number: int, preset: str, knobs: dict[str, Any]) -> None:
    """As it was kept before messages: the knobs of chats, rules that do not descend, a tree of groups in which
    the fourth has ended."""
    known = ("messagingEnabled", "lockdown", "linkRequirement", "chatKinds", "callVisibility")
    document = PRESETS[preset].document()
    rules = [{part: value for part, value in rule.items() if part != "descend"} for rule in document["reach"]]
    policy = {**{knob: document[knob] for knob in known}, **knobs, "reach": rules}
    at = "2026-09-01T08:30:00.000Z"
    connection.exec_driver_sql(
        "INSERT INTO organizations (id, source_id, name, time_zone, locale, preset, policy, imported_at)"
        " VALUES (?, ?, 'School', 'UTC', 'en', ?, ?, ?)",
        (number, str(number), preset, json.dumps(policy), at),
    )
    for rule in rules:
        connection.exec_driver_sql(
            "INSERT INTO reach_rules (organization_id, from_position, group_kind, to_position)"
            " VALUES (?, ?, ?, ?)",
            (number, *rule.values()),
        )
    for group, above, ended in ((1, None, None), (2, 1, None), (3, 2, None), (4, 3, at), (5, 4, None)):
        parent = None if above is None else 10 * number + above
        kind = "ORGANIZATION" if above is None else "DEPARTMENT"
        connection.exec_driver_sql(
            "INSERT INTO groups"
            " (id, organization_id, source_id, kind, parent_id, ended_at, source, name, search_key)"
            " VALUES (?, ?, ?, ?, ?, ?, 'org', 'x', 'x')",
            (10 * number + group, number, f"{number}{group}", kind, parent, ended),
        )


def _assert_the_rules_agree(database: Database) -> None:
    """The migration filled the tree as the rules keep it: keeping it again changes nothing."""
    before = dump(database)
    with database.transaction() as tx:
        for number in (1, 2):
            rebuild_tree(tx, number)
    assert dump(database) == before
