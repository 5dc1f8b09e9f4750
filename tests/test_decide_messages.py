"""May this person write to that one? Every combination of what the decision looks at, against the rules' words."""

from itertools import product
from typing import Any

import pytest

from models.actor import Actor
from models.decide_messages import decide_reply, decide_start, decide_switches
from models.errors import Code
from models.policy import Policy
from models.presets import PRESETS
from models.tables.conversations import ConversationKind

BOTH = (False, True)
EVERY_CASE = list(product(BOTH, BOTH, BOTH))
DIRECT = ConversationKind.DIRECT


def somebody(policy: Policy, *, is_administrator: bool = False) -> Actor:
    return Actor(
        id=1,
        organization_id=1,
        locale="en",
        policy=policy,
        is_linked=False,
        is_administrator=is_administrator,
        teaches_subgroup=False,
    )


def turned(preset: str, **knobs: Any) -> Policy:
    return PRESETS[preset].with_knobs(knobs)


# ---------------------------------------------------------------------------------------------- start


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("starts", "other_starts", "is_active"), EVERY_CASE)
def test_I2_P12_start(preset: str, starts: bool, other_starts: bool, is_active: bool) -> None:
    """Who has gone comes first (PA7), then one's own right; being reached only gives the reason a name."""
    code = decide_start(somebody(PRESETS[preset]), starts=starts, other_starts=other_starts, is_active=is_active)
    if not is_active:
        assert code is Code.COUNTERPART_GONE
    elif starts:
        assert code is None
    elif other_starts:
        assert code is Code.CANNOT_START
    else:
        assert code is Code.OUT_OF_REACH


def test_E41_no_link_is_asked_for_messages_of_the_school_itself() -> None:
    """The link opens the external messenger's block; conversations are the other one (E5, A12)."""
    unlinked = somebody(PRESETS["EPOS_COLLEGE"])
    assert not unlinked.may_act
    assert decide_start(unlinked, starts=True, other_starts=False, is_active=True) is None


# ---------------------------------------------------------------------------------------------- reply


def reply(policy: Policy, starts: bool, other_starts: bool, has_written: bool, **more: bool) -> Code | None:
    standing = {"other_is_active": True, **more}
    return decide_reply(
        somebody(policy), starts=starts, other_starts=other_starts, other_has_written=has_written, **standing
    )


@pytest.mark.parametrize(("starts", "other_starts", "has_written"), EVERY_CASE)
def test_PA3_reach_is_asked_on_every_send(starts: bool, other_starts: bool, has_written: bool) -> None:
    code = reply(PRESETS["CAMPUS"], starts, other_starts, has_written)
    assert code is (None if starts else Code.OUT_OF_REACH)


@pytest.mark.parametrize("preset", ["EPOS_SCHOOL", "EPOS_COLLEGE"])
@pytest.mark.parametrize(("starts", "other_starts", "has_written"), EVERY_CASE)
def test_whoever_wrote_may_always_be_answered(
    preset: str, starts: bool, other_starts: bool, has_written: bool
) -> None:
    """Not so who was only written to: being reached, or having been reached, gives no right."""
    code = reply(PRESETS[preset], starts, other_starts, has_written)
    assert code is (None if starts or has_written else Code.OUT_OF_REACH)


@pytest.mark.parametrize(("starts", "other_starts", "has_written"), EVERY_CASE)
def test_I2_I12_IA2_IA6_learners_reply_where_they_were_written_to(
    starts: bool, other_starts: bool, has_written: bool
) -> None:
    code = reply(PRESETS["ISPRING"], starts, other_starts, has_written)
    if not starts and not other_starts:
        assert code is Code.COUNTERPART_GONE, "an expert who was unassigned (I12)"
    elif starts or has_written:
        assert code is None
    else:
        assert code is Code.OUT_OF_REACH, "nobody has written to him (IA6)"


def test_IA7_an_expert_answers_but_does_not_start() -> None:
    policy = PRESETS["ISPRING"]
    start = decide_start(somebody(policy), starts=False, other_starts=True, is_active=True)
    assert start is Code.CANNOT_START
    assert reply(policy, False, True, True) is None
    assert reply(policy, False, True, False) is Code.OUT_OF_REACH


@pytest.mark.parametrize("preset", ["EPOS_SCHOOL", "CAMPUS", "ISPRING"])
def test_PA7_I12_nobody_writes_to_who_has_gone(preset: str) -> None:
    for facts in EVERY_CASE:
        assert reply(PRESETS[preset], *facts, other_is_active=False) is Code.COUNTERPART_GONE


@pytest.mark.parametrize("preset", ["EPOS_SCHOOL", "CAMPUS", "ISPRING"])
def test_who_takes_no_part_writes_nothing(preset: str) -> None:
    """That the other has gone is said first."""
    policy = PRESETS[preset]
    assert reply(policy, True, True, True, is_participant=False) is Code.NOT_PARTICIPANT
    gone = reply(policy, True, True, True, is_participant=False, other_is_active=False)
    assert gone is Code.COUNTERPART_GONE


# ------------------------------------------------------------------------------------------- switches


def codes(actor: Actor, kind: ConversationKind = DIRECT) -> set[Code | None]:
    """What is said to every start, to every reply, and by the switches alone: of this kind."""
    return {
        decide_switches(actor, kind),
        *(
            decide_start(actor, starts=starts, other_starts=other, is_active=active, kind=kind)
            for starts, other, active in EVERY_CASE
        ),
        *(
            decide_reply(
                actor,
                starts=starts,
                other_starts=other,
                other_has_written=written,
                other_is_active=active,
                is_participant=there,
            )
            for starts, other, written, active, there in product(BOTH, repeat=5)
        ),
    }


@pytest.mark.parametrize("is_administrator", BOTH)
def test_I10_IA4_while_messaging_is_off_nobody_writes(is_administrator: bool) -> None:
    off = turned("ISPRING", messagingEnabled=False, lockdown=True, conversationKinds=[])
    assert codes(somebody(off, is_administrator=is_administrator)) == {Code.MESSAGING_DISABLED}


def test_in_a_lockdown_only_administrators_write() -> None:
    locked = turned("EPOS_COLLEGE", lockdown=True)
    assert codes(somebody(locked)) == {Code.LOCKDOWN}
    assert codes(somebody(locked, is_administrator=True)) == codes(somebody(PRESETS["EPOS_COLLEGE"]))
    assert codes(somebody(turned("EPOS_COLLEGE", lockdown=True, conversationKinds=[]))) == {Code.LOCKDOWN}


def test_a_kind_that_is_not_offered_is_refused_before_anything_about_the_other() -> None:
    assert codes(somebody(PRESETS["ENT"])) == {Code.KIND_NOT_OFFERED}, "there are mails only"


OFFERED = {
    "EPOS_SCHOOL": {"DIRECT", "GROUP"},
    "EPOS_COLLEGE": {"DIRECT", "GROUP"},
    "CAMPUS": {"DIRECT"},  # P6
    "ISPRING": {"DIRECT"},
    "ENT": {"MAIL"},
}


@pytest.mark.parametrize("preset", PRESETS)
def test_P6_kinds_are_those_of_the_policy(preset: str) -> None:
    """A chat's conversation goes with the chat, whatever else there is."""
    actor = somebody(PRESETS[preset])
    offered = {kind.name for kind in ConversationKind if decide_switches(actor, kind) is None}
    assert offered == OFFERED[preset] | {"CHAT"}


def test_writing_to_somebody_needs_some_kind_at_all() -> None:
    """What a client is told of a person, before it has chosen how to write."""
    for preset in PRESETS:
        assert decide_switches(somebody(PRESETS[preset])) is None
        closed = somebody(turned(preset, conversationKinds=[]))
        assert decide_start(closed, starts=True, other_starts=True, is_active=True) is Code.KIND_NOT_OFFERED
