"""How does a known system behave? Each preset is data: one policy per system that this program follows.

The source of each is named beside it; the tables of positions and knobs are `domain.md`'s. No other module asks
for a preset's name: they ask for knobs, which any organization may mix.
"""

from collections.abc import Iterator

from models.policy import BodyFormat, LinkRequirement, MessageDeletion, Policy, ReachRule, ReplyRule
from models.tables.chats import ChatKind
from models.tables.conversations import ConversationKind
from models.tables.people import GroupKind as Kind
from models.tables.people import Position as At

ANYBODY = tuple(At)
PERSONNEL = (At.TEACHER, At.STAFF, At.ADMINISTRATOR)
TEACHING = (At.TEACHER, At.CURATOR)
FAMILY = (At.LEARNER, At.GUARDIAN)
TAUGHT_IN = (Kind.CLASS, Kind.SUBGROUP)


def _reach(
    *rows: tuple[tuple[At, ...], tuple[Kind, ...], tuple[At, ...]], descend: bool = False
) -> tuple[ReachRule, ...]:
    """Each row: everyone at these positions in groups of these kinds reaches those positions there."""

    def rules() -> Iterator[ReachRule]:
        for starters, kinds, reached in rows:
            for kind in kinds:
                for one in starters:
                    for other in reached:
                        yield ReachRule(from_position=one, group_kind=kind, to_position=other, descend=descend)

    return tuple(dict.fromkeys(rules()))


_E_DIARY = Policy(
    link_requirement=LinkRequirement.ACT,
    conversation_kinds=(ConversationKind.DIRECT, ConversationKind.GROUP),
    reply=ReplyRule.ALWAYS,
    attachments=True,
    history_after_leaving=True,
    chat_kinds=tuple(ChatKind),
)

PRESETS: dict[str, Policy] = {
    # E-diary, edition for schools (E1): everybody reaches everybody.
    "EPOS_SCHOOL": _E_DIARY.model_copy(
        update={"reach": _reach((ANYBODY, (Kind.ORGANIZATION,), ANYBODY))},
    ),
    # E-diary, edition for colleges (E2): personnel among themselves, teachers and their groups, both ways.
    "EPOS_COLLEGE": _E_DIARY.model_copy(
        update={
            "reach": _reach(
                (PERSONNEL, (Kind.ORGANIZATION,), PERSONNEL),
                (TEACHING, TAUGHT_IN, FAMILY),
                ((At.ADMINISTRATOR,), (Kind.ORGANIZATION,), ANYBODY),
                (FAMILY, TAUGHT_IN, TEACHING),
                (FAMILY, (Kind.ORGANIZATION,), (At.ADMINISTRATOR,)),
            )
        },
    ),
    # A French platform's private messages (P1-P9): short, between two people, nothing is ever taken back.
    "CAMPUS": Policy(
        conversation_kinds=(ConversationKind.DIRECT,),
        self_messages=True,
        reach=_reach(
            ((At.LEARNER,), (Kind.CLASS,), (At.LEARNER, *TEACHING)),
            ((At.LEARNER,), (Kind.SUBGROUP,), (At.TEACHER,)),
            ((At.LEARNER,), (Kind.CYCLE,), (At.ADMINISTRATOR,)),
            (TEACHING, TAUGHT_IN, (At.LEARNER,)),
            ((At.TEACHER,), (Kind.CYCLE,), (At.TEACHER, At.ADMINISTRATOR)),
            ((At.ADMINISTRATOR,), (Kind.CYCLE,), ANYBODY),
        ),
    ),
    # Messages of a training platform (I1-I3, IA3): learners answer, and start with the experts of their courses.
    "ISPRING": Policy(
        conversation_kinds=(ConversationKind.DIRECT,),
        reply=ReplyRule.WHILE_EITHER_MAY_START,
        message_deletion=MessageDeletion.FOR_ME,
        conversation_deletion=True,
        reach=_reach(
            ((At.OWNER, At.ADMINISTRATOR), (Kind.ORGANIZATION,), (At.LEARNER,)),
            ((At.LEARNER,), (Kind.COURSE,), (At.EXPERT,)),
        )
        + _reach(((At.ADMINISTRATOR,), (Kind.DEPARTMENT,), (At.LEARNER,)), descend=True),
    ),
    # The mail of a French school portal (M1-M14, MA8): to people and audiences, with drafts and a trash.
    "ENT": Policy(
        conversation_kinds=(ConversationKind.MAIL,),
        self_messages=True,
        guardian_reaches_child=True,
        reply=ReplyRule.ALWAYS,
        audiences_as_recipients=True,
        attachments=True,
        body_format=BodyFormat.RICH,
        message_deletion=MessageDeletion.TRASH,
        news_feed=True,
        reach=_reach(
            (PERSONNEL, (Kind.ORGANIZATION,), ANYBODY),
            ((At.LEARNER,), (Kind.CLASS,), (At.LEARNER,)),
            (FAMILY, TAUGHT_IN, TEACHING),
            (FAMILY, (Kind.ORGANIZATION,), (At.STAFF, At.ADMINISTRATOR)),
        ),
    ),
}
