"""How does a known system behave? Each preset is data: one policy per system that this program follows.

The source of each is named beside it; the table of positions is `domain.md`'s.
"""

from collections.abc import Iterator

from models.policy import LinkRequirement, Policy, ReachRule
from models.tables.chats import ChatKind
from models.tables.people import GroupKind as Kind
from models.tables.people import Position as At

ANYBODY = tuple(At)
PERSONNEL = (At.TEACHER, At.STAFF, At.ADMINISTRATOR)
TEACHING = (At.TEACHER, At.CURATOR)
FAMILY = (At.LEARNER, At.GUARDIAN)
TAUGHT_IN = (Kind.CLASS, Kind.SUBGROUP)


def _reach(*rows: tuple[tuple[At, ...], tuple[Kind, ...], tuple[At, ...]]) -> tuple[ReachRule, ...]:
    """Each row: everyone at these positions in groups of these kinds reaches those positions there."""

    def rules() -> Iterator[ReachRule]:
        for starters, kinds, reached in rows:
            for kind in kinds:
                for one in starters:
                    for other in reached:
                        yield ReachRule(from_position=one, group_kind=kind, to_position=other)

    return tuple(dict.fromkeys(rules()))


_E_DIARY = Policy(
    link_requirement=LinkRequirement.ACT,
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
}
