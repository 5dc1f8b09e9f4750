"""What may an organization decide for itself? One policy of knobs; a preset is a set of their values."""

from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from models.tables.chats import ChatKind
from models.tables.people import GroupKind, Position


class LinkRequirement(StrEnum):
    """What a person without a linked profile may not do (E41, reading A12)."""

    NONE = "NONE"
    JOIN = "JOIN"
    ACT = "ACT"


class CallVisibility(StrEnum):
    """Which calls the participants see who do not administer them (reading A8)."""

    PUBLISHED_ONLY = "PUBLISHED_ONLY"
    CREATED_AND_PUBLISHED = "CREATED_AND_PUBLISHED"


class Knobs(BaseModel):
    """Frozen, spelled in camelCase where people and the database read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class ReachRule(Knobs):
    """Who is at `from_position` in a group of this kind may start writing to those at `to_position` in it."""

    from_position: Position
    group_kind: GroupKind
    to_position: Position


class Policy(Knobs):
    """All knobs of one organization. `domain.md` lists what each preset sets."""

    messaging_enabled: bool = True
    lockdown: bool = False
    link_requirement: LinkRequirement = LinkRequirement.NONE
    chat_kinds: tuple[ChatKind, ...] = ()
    call_visibility: CallVisibility = CallVisibility.CREATED_AND_PUBLISHED
    reach: tuple[ReachRule, ...] = ()

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
