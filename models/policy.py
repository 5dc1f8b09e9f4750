"""What may an organization decide for itself? One policy of knobs; a preset is a set of their values."""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from models.tables.chats import ChatKind
from models.tables.conversations import ConversationKind, Format
from models.tables.people import GroupKind, Position

BodyFormat = Format
"""How bodies are written. Of rich ones a fixed set of tags is kept (M1)."""

MOST_RECIPIENTS = 100_000
MOST_BYTES = 1024**3
MOST_DAYS = 100 * 366
"""How far the numbers may be turned up."""

MAY_SAFEGUARD = (Position.TEACHER, Position.STAFF, Position.ADMINISTRATOR, Position.OWNER)
"""At which positions of an organization there may be safeguarding officers: never learners and guardians."""


class LinkRequirement(StrEnum):
    """What a person without a linked profile may not do (E41, reading A12)."""

    NONE = "NONE"
    JOIN = "JOIN"
    ACT = "ACT"


class CallVisibility(StrEnum):
    """Which calls the participants see who do not administer them (reading A8)."""

    PUBLISHED_ONLY = "PUBLISHED_ONLY"
    CREATED_AND_PUBLISHED = "CREATED_AND_PUBLISHED"


class ReplyRule(StrEnum):
    """Whom somebody may answer: those he may start with (PA3); besides, whoever wrote to him (MA7); or whoever
    wrote to him, while one of the two may start with the other (I2, I12)."""

    WITHIN_REACH = "WITHIN_REACH"
    ALWAYS = "ALWAYS"
    WHILE_EITHER_MAY_START = "WHILE_EITHER_MAY_START"


class MessageDeletion(StrEnum):
    """What becomes of a message that somebody deletes: he cannot (P4), it is gone for him alone (I6), or it
    goes into his trash (M13)."""

    NONE = "NONE"
    FOR_ME = "FOR_ME"
    TRASH = "TRASH"


class Knobs(BaseModel):
    """Frozen, spelled in camelCase where people and the database read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class ReachRule(Knobs):
    """Who is at `from_position` in a group of this kind may start writing to those at `to_position` in it; where
    the rule descends, in every group below it as well."""

    from_position: Position
    group_kind: GroupKind
    to_position: Position
    descend: StrictBool = False


class Policy(Knobs):
    """All knobs of one organization. `domain.md` lists what each preset sets.

    `most_attachment_bytes`: of all attachments of one message together. `retention_days`: how long a message is
    kept after it was sent; None: for ever. `safeguarding_position`: who is at this position of the organization
    looks at reports.
    """

    messaging_enabled: StrictBool = True
    lockdown: StrictBool = False
    link_requirement: LinkRequirement = LinkRequirement.NONE
    conversation_kinds: tuple[ConversationKind, ...] = ()
    self_messages: StrictBool = False
    guardian_reaches_child: StrictBool = False
    reply: ReplyRule = ReplyRule.WITHIN_REACH
    audiences_as_recipients: StrictBool = False
    attachments: StrictBool = False
    body_format: BodyFormat = BodyFormat.TEXT
    message_deletion: MessageDeletion = MessageDeletion.NONE
    conversation_deletion: StrictBool = False
    history_after_leaving: StrictBool = False
    news_feed: StrictBool = False
    most_recipients: Annotated[int, Field(strict=True, ge=1, le=MOST_RECIPIENTS)] = 5000
    most_attachment_bytes: Annotated[int, Field(strict=True, ge=1, le=MOST_BYTES)] = 25 * 1024**2
    chat_kinds: tuple[ChatKind, ...] = ()
    retention_days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)] | None = None
    call_visibility: CallVisibility = CallVisibility.CREATED_AND_PUBLISHED
    safeguarding_position: Position = Position.ADMINISTRATOR
    reach: tuple[ReachRule, ...] = ()

    @field_validator("conversation_kinds", "chat_kinds")
    @classmethod
    def _each_kind_once(cls, kinds: tuple[StrEnum, ...]) -> tuple[StrEnum, ...]:
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise PydanticCustomError("doubled", "{kind} is there twice", {"kind": kind.name})
        if ConversationKind.CHAT in kinds:
            raise PydanticCustomError("chat", "CHAT is no choice: a chat's conversation comes with the chat")
        return kinds

    @field_validator("safeguarding_position")
    @classmethod
    def _of_personnel(cls, position: Position) -> Position:
        if position not in MAY_SAFEGUARD:
            choices = ", ".join(each.name for each in MAY_SAFEGUARD)
            raise PydanticCustomError("no_officer", "one of {choices}", {"choices": choices})
        return position

    @field_validator("reach")
    @classmethod
    def _each_rule_once(cls, rules: Sequence[ReachRule]) -> tuple[ReachRule, ...]:
        """Of a rule that is there with and without its descent, the wider one."""
        descends: dict[tuple[Position, GroupKind, Position], bool] = {}
        for rule in rules:
            key = (rule.from_position, rule.group_kind, rule.to_position)
            descends[key] = descends.get(key, False) or rule.descend
        return tuple(
            ReachRule(from_position=start, group_kind=kind, to_position=end, descend=descend)
            for (start, kind, end), descend in descends.items()
        )

    def with_knobs(self, changes: dict[str, Any]) -> "Policy":
        """The policy with some knobs set, by their camelCase names. Raises ValueError with one plain line."""
        try:
            return Policy.model_validate({**self.model_dump(by_alias=True), **changes})
        except ValidationError as error:
            fault = error.errors()[0]
            knob = ".".join(str(part) for part in fault["loc"])
            raise ValueError(f"{knob}: {fault['msg']}") from None

    def document(self) -> dict[str, Any]:
        """The policy as JSON, as the database keeps it."""
        return self.model_dump(mode="json", by_alias=True)


@lru_cache(maxsize=1024)
def read_policy(text: str) -> Policy:
    """The policy that the database keeps as this text. Equal texts share one object."""
    return Policy.model_validate_json(text)
