"""What is a messenger outside told, word for word, and what may it answer? What is sent is made of these, and
`docs/messenger/` shows them as JSON Schema.

Chats and calls are told as they are when the command is sent, so a command that was lost is made up for by the
next one of its chat.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from models.tables.chats import ChatKind

MOST_LETTERS = 2_000
"""Of an address."""

ADDRESS = r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[!-~]+$"


def _id(kind: str, text: str) -> Any:
    return Field(description=text, pattern=rf"^{kind}_[1-9][0-9]*$")


Chat = Annotated[str, _id("Chat", "The chat's id, as the API has it.")]
Call = Annotated[str, _id("Call", "The call's id, as the API has it.")]
Person = Annotated[str, _id("User", "The person's id, as the API has it.")]
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="RFC 3339, in UTC, to the millisecond."
    ),
]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)


class School(_Told):
    """The organization that it happened in."""

    id: str = _id("Organization", "The organization's id, as the API has it.")
    sourced_id: str = Field(description="Its sourcedId in the roster.")


class ChatTold(_Told):
    """A chat."""

    id: Chat
    kind: ChatKind = Field(description="What it is for.")
    name: str = Field(description="Its name, 1 to 200 characters.")


class CallTold(_Told):
    """An online call of a chat."""

    id: Call
    title: str = Field(description="What it is about, 1 to 200 characters.")
    starts_at: Moment


class Member(_Told):
    """Somebody who takes part in a chat."""

    user: Person
    is_administrator: bool = Field(description="Chat administrator, or user.")


class _Command(_Told):
    id: str = Field(
        pattern=r"^[1-9][0-9]*$",
        description="The command's number: the same whenever it is sent again. A later command has a higher one.",
    )
    at: Moment = Field(description="When it happened.")
    organization: School


class _OfChat(_Command):
    chat: ChatTold


class _WithMembers(_OfChat):
    members: tuple[Member, ...] = Field(
        description="All who take part, at most 500: whoever is not here does not."
    )


class _OfCall(_OfChat):
    call: CallTold


class _OfPerson(_Command):
    user: Person


class CreateChat(_WithMembers):
    """A chat has been made. The answer may give its address."""

    command: Literal["CREATE_CHAT"]


class RenameChat(_OfChat):
    """A chat has another name."""

    command: Literal["RENAME_CHAT"]


class DeleteChat(_OfChat):
    """A chat is gone, and its calls with it."""

    command: Literal["DELETE_CHAT"]


class SetMembers(_WithMembers):
    """Who takes part in a chat, and who administers it. Told in the night."""

    command: Literal["SET_MEMBERS"]


class CreateCall(_OfCall):
    """A call has been prepared; only publishing announces it. The answer may give the address where it is held."""

    command: Literal["CREATE_CALL"]


class UpdateCall(_OfCall):
    """A call has another title or another start."""

    command: Literal["UPDATE_CALL"]


class PublishCall(_OfCall):
    """A call can be joined from now on. No other call of the chat can."""

    command: Literal["PUBLISH_CALL"]


class FinishCall(_OfCall):
    """A call is over and cannot be joined any more."""

    command: Literal["FINISH_CALL"]


class DeleteCall(_OfCall):
    """A call is gone."""

    command: Literal["DELETE_CALL"]


class LinkProfile(_OfPerson):
    """From now on the person is this account. It replaces the one that the person had."""

    command: Literal["LINK_PROFILE"]
    account: str = Field(description="The account in the messenger.")


class UnlinkProfile(_OfPerson):
    """The person has no account in the messenger any more."""

    command: Literal["UNLINK_PROFILE"]


Told = Annotated[
    CreateChat
    | RenameChat
    | DeleteChat
    | SetMembers
    | CreateCall
    | UpdateCall
    | PublishCall
    | FinishCall
    | DeleteCall
    | LinkProfile
    | UnlinkProfile,
    Field(discriminator="command"),
]
TOLD: TypeAdapter[Told] = TypeAdapter(Told)


class Answer(BaseModel):
    """What a bridge may answer with, beside the status; an empty body is as good."""

    model_config = ConfigDict(frozen=True)

    url: str | None = Field(
        default=None,
        pattern=ADDRESS,
        max_length=MOST_LETTERS,
        description="To CREATE_CHAT and CREATE_CALL: the address of the chat or the call. The first one stays.",
    )


def written(told: dict[str, Any]) -> bytes:
    """The command as it is sent. Raises ValidationError for what is none."""
    return TOLD.dump_json(TOLD.validate_python(told), by_alias=True)


def schemas() -> dict[str, Any]:
    """The JSON Schemas by the names of their files."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    command = {"title": "What a bridge is told", **TOLD.json_schema(by_alias=True)}
    answer = {**Answer.model_json_schema(), "title": "What a bridge may answer"}
    return {"command.json": {**dialect, **command}, "answer.json": {**dialect, **answer}}
