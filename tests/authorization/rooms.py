"""Which rooms are on the stage? Chats, their calls, and conversations, each with somebody in every relation."""

from datetime import timedelta
from itertools import count

from models.authorization.rule import Kind, Relation
from models.calls import create_call, finish_call, publish_call
from models.chats import change_members, found_chat
from models.conversations import create_group, delete, open_conversation, send
from models.group_conversations import remove_participants, set_administrator
from models.tables.chats import ChatKind
from models.tables.people import GroupKind, Position
from tests.authorization.cast import Cast, Schools, numbers_of

ROOM = (
    Relation.ADMINISTERS,
    Relation.TAKES_PART,
    Relation.UNLINKED,
    Relation.LEFT,
    Relation.STRANGER,
    Relation.OTHER_SCHOOL,
)

CHATS = (
    Kind.CHAT,
    Kind.LEADERLESS_CHAT,
    Kind.MANDATORY_CHAT,
    Kind.CREATED_CALL,
    Kind.PUBLISHED_CALL,
    Kind.FINISHED_CALL,
    Kind.CHAT_CONVERSATION,
)


class Rooms:
    """They are made by the keeper, who administers them; a bystander takes part in each."""

    def __init__(self, schools: Schools, cast: Cast) -> None:
        self._schools, self._cast, self._tx = schools, cast, schools.tx
        self._people = {relation: schools.each_position("room", relation) for relation in ROOM}
        self._keeper = schools.actor(schools.keeper)
        self._bystander = schools.person("bystander", Position.LEARNER)
        self._newcomer = schools.person("newcomer", Position.LEARNER)
        self._places = count(1)

    def fill(self) -> None:
        for kind in CHATS:
            self._chat_for(kind)
        self._group_conversation()
        self._direct_conversations()

    def _chat_for(self, kind: Kind) -> None:
        chat_id = self._chat(kind)
        thing = f"Conversation_{chat_id}" if kind is Kind.CHAT_CONVERSATION else f"Chat_{chat_id}"
        if kind in (Kind.CREATED_CALL, Kind.PUBLISHED_CALL, Kind.FINISHED_CALL):
            thing = f"Call_{self._call(chat_id, kind)}"
        for relation in kind.relations:
            for position, who in self._people[relation].items():
                self._cast.put(
                    (kind, relation, position),
                    who,
                    thing,
                    chat=f"Chat_{chat_id}",
                    conversation=f"Conversation_{chat_id}",
                    newcomer=f"User_{self._newcomer.id}",
                    bystander=f"User_{self._bystander.id}",
                )

    def _chat(self, kind: Kind) -> int:
        """With a message in it, before some leave."""
        is_led = kind is not Kind.LEADERLESS_CHAT
        there = [relation for relation in ROOM[:4] if relation in kind.relations]
        roles = {self._bystander.id: False, **({self._keeper.id: True} if is_led else {})}
        for relation in there:
            leads = relation in (Relation.ADMINISTERS, Relation.UNLINKED)
            roles |= dict.fromkeys(numbers_of(self._people[relation].values()), leads)
        group_id = None
        if kind is Kind.MANDATORY_CHAT:
            group_id = self._schools.group("class of the chat", GroupKind.CLASS)
        chat_kind = ChatKind.CUSTOM if group_id is None else ChatKind.GROUP
        name = f"Chat {next(self._places)}"
        chat_id = found_chat(self._tx, self._schools.here, chat_kind, name, group_id, roles)
        author = self._keeper if is_led else self._schools.actor(self._bystander)
        self._say(chat_id, author)
        if Relation.LEFT in there:
            leaving = set(numbers_of(self._people[Relation.LEFT].values()))
            change_members(self._tx, self._schools.here, chat_id, leaving=leaving)
        return chat_id

    def _call(self, chat_id: int, kind: Kind) -> int:
        starts_at = self._tx.now + timedelta(hours=1)
        call_id = create_call(
            self._tx, self._keeper, chat_id=chat_id, title="Call", starts_at=starts_at, idempotency_key=None
        )
        if kind is not Kind.CREATED_CALL:
            publish_call(self._tx, self._keeper, call_id)
        if kind is Kind.FINISHED_CALL:
            finish_call(self._tx, self._keeper, call_id)
        return call_id

    def _group_conversation(self) -> None:
        kind = Kind.GROUP_CONVERSATION
        people = [self._bystander]
        for relation in kind.relations[:3]:
            people += self._people[relation].values()
        there = create_group(
            self._tx, self._keeper, title="Group", participant_ids=numbers_of(people), idempotency_key=None
        )
        for who in self._people[Relation.ADMINISTERS].values():
            set_administrator(self._tx, self._keeper, there, who.id, is_administrator=True)
        self._say(there, self._keeper)
        remove_participants(self._tx, self._keeper, there, numbers_of(self._people[Relation.LEFT].values()))
        for relation in kind.relations:
            for position, who in self._people[relation].items():
                self._cast.put(
                    (kind, relation, position),
                    who,
                    f"Conversation_{there}",
                    bystander=f"User_{self._bystander.id}",
                )

    def _direct_conversations(self) -> None:
        """One with each person; strangers try to see the last of them."""
        there = 0
        for relation in Kind.DIRECT.relations:
            people = self._people.get(relation) or self._schools.each_position("direct", relation)
            if relation is Relation.TAKES_PART:
                people = self._schools.each_position("direct", relation)
            for position, who in people.items():
                if relation not in (Relation.STRANGER, Relation.OTHER_SCHOOL):
                    there = open_conversation(self._tx, self._keeper, who.id)
                if relation in (Relation.TAKES_PART, Relation.DELETED):
                    self._say(there, self._keeper)
                if relation is Relation.DELETED:
                    delete(self._tx, self._schools.actor(who), there)
                self._cast.put(
                    (Kind.DIRECT, relation, position),
                    who,
                    f"Conversation_{there}",
                    bystander=f"User_{self._keeper.id}",
                )

    def _say(self, conversation_id: int, author: object) -> int:
        return send(
            self._tx,
            author,  # type: ignore[arg-type]
            conversation_id=conversation_id,
            body="Hello",
            parent_id=None,
            idempotency_key=None,
            attachment_ids=(),
        )
