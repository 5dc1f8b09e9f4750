"""Is offered what is allowed, and nothing else? `viewerActions` of everything, and files that are fetched."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from models.authorization.rule import Kind, Relation, Rule
from models.decide import CallAction, ChatAction
from models.decide_conversations import ConversationAction, MessageAction
from resolvers.attachments import find_file
from resolvers.ids import number
from resolvers.projection import PROJECTIONS
from schema import schema
from schema.authorization import mutation_rules
from tests.authorization.asking import node
from tests.authorization.cast import Case, said
from tests.authorization.stage import cases, staged

ALLOWED_BY: Mapping[str, Mapping[StrEnum, str]] = {
    "Chat": {
        ChatAction.RENAME: "renameChat",
        ChatAction.EDIT_PARTICIPANTS: "addChatParticipants",
        ChatAction.EDIT_ADMINISTRATORS: "setChatAdministrator",
        ChatAction.DELETE: "deleteChat",
        ChatAction.CREATE_CALL: "createCall",
        ChatAction.OPEN: "Chat.url",
    },
    "Call": {
        CallAction.UPDATE: "updateCall",
        CallAction.PUBLISH: "publishCall",
        CallAction.FINISH: "finishCall",
        CallAction.DELETE: "deleteCall",
        CallAction.JOIN: "Call.joinUrl",
    },
    "Conversation": {
        ConversationAction.RENAME: "renameConversation",
        ConversationAction.ADD_PARTICIPANTS: "addParticipants",
        ConversationAction.REMOVE_PARTICIPANTS: "removeParticipants",
        ConversationAction.EDIT_ADMINISTRATORS: "setParticipantAdministrator",
        ConversationAction.LEAVE: "leaveConversation",
        ConversationAction.DELETE: "deleteConversation",
        ConversationAction.MUTE: "muteConversation",
    },
    "Message": {
        MessageAction.TRASH: "trashMessages",
        MessageAction.RESTORE: "restoreMessages",
        MessageAction.PURGE: "purgeMessages",
    },
}
"""By the rule of which mutation, or of which field, each action is allowed."""

ELSEWHERE: Mapping[str, Collection[StrEnum]] = {
    "Chat": (),
    "Call": (),
    "Conversation": (ConversationAction.REPLY,),  # by sendMessage, and by sendMail in a thread
    "Message": (MessageAction.REPLY, MessageAction.DELETE, MessageAction.MARK_UNREAD),  # by knobs and state
}

NO_MISTAKE = {
    (Kind.PUBLISHED_CALL, "PUBLISH"),
    (Kind.FINISHED_CALL, "FINISH"),
    (Kind.GROUP_CONVERSATION, Relation.LEFT, "LEAVE"),
    (Kind.MAIL, Relation.TRASHED, "TRASH"),
}
"""What has been done already is not offered, and not refused either."""

OFFERS = [(name, kind) for name in ALLOWED_BY for kind in PROJECTIONS[name].seen_by.kinds]


def rule_of(name: str) -> Rule:
    """Of a mutation, or of a field."""
    type_name, _, field = name.partition(".")
    found = PROJECTIONS[type_name].entries[field].seen_by if field else mutation_rules(schema._schema)[name]
    assert found is not None
    return found


def test_every_action_has_its_rule() -> None:
    for actions, name in ((ChatAction, "Chat"), (CallAction, "Call"), (MessageAction, "Message")):
        assert set(actions) == {*ALLOWED_BY[name], *ELSEWHERE[name]}
    assert set(ConversationAction) == {*ALLOWED_BY["Conversation"], *ELSEWHERE["Conversation"]}


def is_offered(name: str, action: str, case: Case) -> bool:
    kind, relation, _ = case
    is_done = {(kind, action), (kind, relation, action)} & NO_MISTAKE
    return rule_of(name).allows(*case) and not is_done


@pytest.mark.parametrize(("name", "kind"), OFFERS, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_what_is_offered_is_what_is_allowed(name: str, kind: Kind, tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for case in cases(kind):
            if PROJECTIONS[name].seen_by.allows(*case):
                shown = await stage.as_(case).ask(node(name, "viewerActions"), id=stage.thing(case))
                wanted = {action for action, by in ALLOWED_BY[name].items() if is_offered(by, action, case)}
                assert set(shown["node"]["viewerActions"]) - {*ELSEWHERE[name]} == wanted, said(case)


FORETOLD = [
    ("User.viewerCanMessage", "openConversation", Kind.PERSON),
    ("User.viewerCanBlock", "blockPerson", Kind.PERSON),
    ("User.viewerCanBlock", "blockPerson", Kind.PERSON_OF_PERSONNEL),
    ("Group.viewerCanCreateChat", "createChat", Kind.GROUP),
    ("Message.viewerCanReport", "reportMessage", Kind.MESSAGE),
    ("Message.viewerCanReport", "reportMessage", Kind.MAIL),
    ("Message.viewerCanReport", "reportMessage", Kind.DRAFT),
]


@pytest.mark.parametrize(("field", "by", "kind"), FORETOLD, ids=lambda it: it.name if isinstance(it, Kind) else it)
async def test_what_is_foretold_comes_true(field: str, by: str, kind: Kind, tmp_path: Path) -> None:
    """Of whatever is seen."""
    type_name, _, name = field.partition(".")
    async with staged(tmp_path) as stage:
        for case in cases(kind):
            shown = await stage.as_(case).ask(node(type_name, name), id=stage.thing(case))
            if shown["node"] is not None:
                assert shown["node"][name] == rule_of(by).allows(*case), said(case)
            else:
                assert not rule_of(by).allows(*case), said(case)


@pytest.mark.parametrize("kind", PROJECTIONS["Attachment"].seen_by.kinds, ids=lambda kind: kind.name)
async def test_a_file_is_fetched_by_who_sees_it(kind: Kind, tmp_path: Path) -> None:
    """Whatever address or token he comes with: this is asked before a byte goes out."""
    async with staged(tmp_path) as stage:
        for case in cases(kind):
            viewer = stage.as_(case).viewer
            assert viewer is not None
            found = await find_file(stage.api.database, viewer, number("Attachment", stage.thing(case)))
            assert (found is not None) == PROJECTIONS["Attachment"].seen_by.allows(*case), said(case)
