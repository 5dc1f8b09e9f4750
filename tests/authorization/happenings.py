"""What happens to a thing, for somebody to hear? For each subscription, and each kind of thing in its rule.

It is done by the keeper, by rules alone, as if he had done it through the API: those who listen are woken by the
commit.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import select

from models.actor import Actor, Viewer, actor
from models.authorization.rule import Kind, Relation
from models.calls import create_call, delete_call, finish_call, publish_call, update_call
from models.chats import give_name
from models.conversations import mute, send
from models.database import Transaction
from models.group_conversations import rename
from models.messages import mark_messages
from models.organization import organization, set_policy
from models.safeguarding import read_report
from models.tables.calls import CallStatus, calls
from models.tables.conversations import conversations
from models.tables.organization import organizations
from models.tables.people import Position, users
from tests.authorization.cast import Case
from tests.authorization.stage import Stage

Act = Callable[[Transaction, Actor, int], object]


class Happening(NamedTuple):
    """`document`: the subscription; `act`: what is done to the number of a thing; `sought`: by which id of the
    case the event is known, by default the thing's. `is_old`: it has happened before anybody listened."""

    document: str
    act: Act
    sought: str | None = None
    is_old: bool = False

    def happens_to(self, stage: Stage, thing: str) -> None:
        with stage.api.database.transaction() as tx:
            keeper = somebody(tx, "keeper")
            last = select(organizations.c.last_event).where(organizations.c.id == keeper.organization_id)
            before = tx.execute(last).scalar_one()
            self.act(tx, keeper, int(thing.split("_")[1]))
            assert self.is_old or tx.execute(last).scalar_one() > before, "nothing has happened"

    def id_of(self, stage: Stage, case: Case) -> str:
        return stage.more(self.sought, case) if self.sought else stage.thing(case)


def somebody(tx: Transaction, login: str) -> Actor:
    row = tx.execute(select(users.c.id, users.c.organization_id).where(users.c.login == login)).one()
    return actor(tx, Viewer(row.id, row.organization_id))


def _renames_chat(tx: Transaction, who: Actor, number: int) -> None:
    give_name(tx, who.organization_id, number, "Another name")


def _publishes_another(tx: Transaction, who: Actor, number: int) -> None:
    """After the one that is published is over."""
    chat_id = tx.execute(select(calls.c.chat_id).where(calls.c.id == number)).scalar_one()
    published = select(calls.c.id).where(calls.c.chat_id == chat_id, calls.c.status == CallStatus.PUBLISHED)
    finish_call(tx, who, tx.execute(published).scalar_one())
    new = create_call(tx, who, chat_id=chat_id, title="Another", starts_at=tx.now, idempotency_key=None)
    publish_call(tx, who, new)


def _updates_call(tx: Transaction, who: Actor, number: int) -> None:
    title = tx.execute(select(calls.c.title).where(calls.c.id == number)).scalar_one()
    update_call(tx, who, number, title=f"{title}!", starts_at=None)


def _renames(tx: Transaction, who: Actor, number: int) -> None:
    title = tx.execute(select(conversations.c.title).where(conversations.c.id == number)).scalar_one()
    rename(tx, who, number, f"{title}!")


def _says(tx: Transaction, who: Actor, number: int) -> None:
    send(
        tx,
        who,
        conversation_id=number,
        body="News",
        parent_id=None,
        idempotency_key=None,
        attachment_ids=(),
    )


def _reader_reads(tx: Transaction, who: Actor, number: int) -> None:
    """Somebody with a copy who is no case of the rule."""
    mark_messages(tx, somebody(tx, "reader"), [number], read=True)


def _lockdown(tx: Transaction, who: Actor, number: int) -> None:
    school = organization(tx, number)
    set_policy(tx, number, school.preset, school.policy.with_knobs({"lockdown": True}))


def _officer_reads(tx: Transaction, who: Actor, number: int) -> None:
    officer = f"written.{Relation.REPORTER.name}.{Position.ADMINISTRATOR.name}".lower()
    read_report(tx, somebody(tx, officer), number, reason="It was asked for")


CHAT = "subscription($after: String) { chatChanged(after: $after) { chatId chat { id } } }"
CALL = "subscription($after: String) { callChanged(after: $after) { callId chat { id } call { id } } }"
PUBLISHED = "subscription($after: String) { callPublished(after: $after) { call { id chat { id } } } }"
RECEIVED = "subscription($after: String) { messageReceived(after: $after) { message { id conversation { id } } } }"
CONVERSATION = """subscription($after: String) { conversationChanged(after: $after) {
  conversationId conversation { id } } }"""
COPY = "subscription($after: String) { messageChanged(after: $after) { messageId message { id } } }"
ORGANIZATION = "subscription($after: String) { organizationChanged(after: $after) { organization { id } } }"
REPORT = "subscription($after: String) { reportChanged(after: $after) { reportId report { id } } }"

_HAPPENINGS: Mapping[str, tuple[tuple[tuple[Kind, ...], Happening], ...]] = {
    "chatChanged": (((Kind.CHAT, Kind.LEADERLESS_CHAT, Kind.MANDATORY_CHAT), Happening(CHAT, _renames_chat)),),
    "callChanged": (
        (
            (Kind.CREATED_CALL,),
            Happening(CALL, _updates_call),
        ),
        ((Kind.PUBLISHED_CALL,), Happening(CALL, finish_call)),
        ((Kind.FINISHED_CALL,), Happening(CALL, delete_call)),
    ),
    "callPublished": (((Kind.PUBLISHED_CALL,), Happening(PUBLISHED, _publishes_another, sought="chat")),),
    "messageReceived": (
        (
            (Kind.GROUP_CONVERSATION, Kind.CHAT_CONVERSATION, Kind.DIRECT),
            Happening(RECEIVED, _says),
        ),
        ((Kind.MESSAGE, Kind.MAIL), Happening(RECEIVED, lambda *_: None, is_old=True)),
    ),
    "conversationChanged": (
        (
            (Kind.GROUP_CONVERSATION,),
            Happening(CONVERSATION, _renames),
        ),
        ((Kind.CHAT_CONVERSATION,), Happening(CONVERSATION, _renames_chat)),
        ((Kind.DIRECT,), Happening(CONVERSATION, lambda tx, who, number: mute(tx, who, number, muted=True))),
    ),
    "messageChanged": (
        (
            (Kind.MESSAGE, Kind.MAIL),
            Happening(COPY, _reader_reads),
        ),
    ),
    "organizationChanged": (((Kind.ORGANIZATION,), Happening(ORGANIZATION, _lockdown)),),
    "reportChanged": (((Kind.REPORT,), Happening(REPORT, _officer_reads)),),
}

HAPPENINGS: dict[tuple[str, Kind], Happening] = {
    (name, kind): happening for name, ways in _HAPPENINGS.items() for kinds, happening in ways for kind in kinds
}
