"""How does somebody lose a right that he had? In each of these ways, as it happens to the person of a case."""

from collections.abc import Callable

from sqlalchemy import update

from models.authorization.rule import Kind, Relation
from models.calls import delete_call, finish_call
from models.chats import change_members, end_chat
from models.database import Transaction
from models.events import record
from models.group_conversations import remove_participants
from models.messages import find_messages, remove_copies
from models.safeguarding import decide_report, report_message
from models.tables.events import EventKind
from models.tables.people import Position, memberships
from models.tables.safeguarding import ReportDecision
from tests.authorization.cast import SCHOOL, Case
from tests.authorization.happenings import somebody
from tests.authorization.stage import Stage
from tests.steps import turn


def _number(id_: str) -> int:
    return int(id_.split("_")[1])


def _in_transaction(stage: Stage, act: Callable[[Transaction], object]) -> None:
    with stage.api.database.transaction() as tx:
        act(tx)


def _who(stage: Stage, case: Case) -> int:
    viewer = stage.as_(case).viewer
    assert viewer is not None
    return int(viewer.id)


def removed_from_chat(stage: Stage, case: Case) -> None:
    chat, who = _number(stage.more("chat", case)), _who(stage, case)
    _in_transaction(
        stage,
        lambda tx: change_members(tx, somebody(tx, "keeper").organization_id, chat, leaving={who}),
    )


def removed_from_chat_without_history(stage: Stage, case: Case) -> None:
    turn(stage.api.database, SCHOOL, historyAfterLeaving=False)
    removed_from_chat(stage, case)


def dismissed(stage: Stage, case: Case) -> None:
    chat, who = _number(stage.more("chat", case)), _who(stage, case)
    _in_transaction(
        stage,
        lambda tx: change_members(tx, somebody(tx, "keeper").organization_id, chat, roles={who: False}),
    )


def removed_from_conversation(stage: Stage, case: Case) -> None:
    there, who = _number(stage.thing(case)), _who(stage, case)
    _in_transaction(stage, lambda tx: remove_participants(tx, somebody(tx, "keeper"), there, [who]))


def removed_without_history(stage: Stage, case: Case) -> None:
    turn(stage.api.database, SCHOOL, historyAfterLeaving=False)
    removed_from_conversation(stage, case)


def chat_ends(stage: Stage, case: Case) -> None:
    chat = _number(stage.more("chat", case))

    def act(tx: Transaction) -> None:
        keeper = somebody(tx, "keeper")
        end_chat(tx, keeper.organization_id, chat, by=keeper.id)

    _in_transaction(stage, act)


def call_finished(stage: Stage, case: Case) -> None:
    _in_transaction(stage, lambda tx: finish_call(tx, somebody(tx, "keeper"), _number(stage.thing(case))))


def call_deleted(stage: Stage, case: Case) -> None:
    _in_transaction(stage, lambda tx: delete_call(tx, somebody(tx, "keeper"), _number(stage.thing(case))))


def calls_are_hidden(stage: Stage, case: Case) -> None:
    turn(stage.api.database, SCHOOL, callVisibility="PUBLISHED_ONLY")


def next_roster(stage: Stage, case: Case) -> None:
    """Every membership of his has ended."""
    who = _who(stage, case)

    def act(tx: Transaction) -> None:
        mine = (memberships.c.user_id == who, memberships.c.until.is_(None))
        tx.execute(update(memberships).where(*mine).values(until=tx.now))
        organization = somebody(tx, "keeper").organization_id
        record(tx, organization, EventKind.PERSON_CHANGED, user_id=who)

    _in_transaction(stage, act)


def copy_deleted(stage: Stage, case: Case) -> None:
    login = stage.login(case)

    def act(tx: Transaction) -> None:
        who = somebody(tx, login)
        remove_copies(tx, who, find_messages(tx, who, [_number(stage.thing(case))]))

    _in_transaction(stage, act)


def message_hidden(stage: Stage, case: Case) -> None:
    """An officer has decided so."""
    officer = f"written.{Relation.STRANGER.name}.{Position.ADMINISTRATOR.name}".lower()

    def act(tx: Transaction) -> None:
        report = report_message(tx, somebody(tx, "reader"), _number(stage.thing(case)), reason="It hurts")
        decide_report(tx, somebody(tx, officer), report, ReportDecision.HIDE, None)

    _in_transaction(stage, act)


def leaves_both(stage: Stage, case: Case) -> None:
    """The chat and the conversation that he shared; what was not written joins nobody."""
    removed_from_chat(stage, case)
    there, who = _number(stage.more("conversation", case)), _who(stage, case)
    _in_transaction(stage, lambda tx: remove_participants(tx, somebody(tx, "keeper"), there, [who]))


async def trashed(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("trashMessages", messageIds=[stage.thing(case)])


async def purged(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("purgeMessages", messageIds=[stage.thing(case)])


async def deleted_for_oneself(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("deleteConversation", conversationId=stage.thing(case))


async def draft_sent(stage: Stage, case: Case) -> None:
    mail = {"to": [stage.as_(case).id], "subject": "Subject", "body": "Body"}
    await stage.as_(case).do("sendMail", mail=mail, draftId=stage.thing(case))


async def discarded(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("discardDraft", draftId=stage.thing(case))


async def unlinked(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("unlinkProfile")


async def blocked(stage: Stage, case: Case) -> None:
    await stage.as_(case).do("blockPerson", userId=stage.thing(case))


async def mail_purged(stage: Stage, case: Case) -> None:
    """Of a file: the mail that it belongs to."""
    await purged(stage, (Kind.MAIL, *case[1:]))
