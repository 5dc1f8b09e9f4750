"""What may one person see and do? The rules of the school once more, as loops over rows.

Written from the rules alone. Nothing here is fast or clever, and nothing is shared with `models` or `resolvers`.
"""

import json
import unicodedata
from typing import Any

from tests.lookahead.rows import Row, Rows

EVERYBODY = "LEARNER TEACHER CURATOR GUARDIAN STAFF ADMINISTRATOR OWNER EXPERT"
PERSONNEL = "TEACHER STAFF ADMINISTRATOR"

REACH = {
    "EPOS_SCHOOL": [(EVERYBODY, "ORGANIZATION", EVERYBODY)],
    "EPOS_COLLEGE": [
        (PERSONNEL, "ORGANIZATION", PERSONNEL),
        ("TEACHER CURATOR", "CLASS SUBGROUP", "LEARNER GUARDIAN"),
        ("LEARNER GUARDIAN", "CLASS SUBGROUP", "TEACHER CURATOR"),
        ("ADMINISTRATOR", "ORGANIZATION", EVERYBODY),
        ("LEARNER GUARDIAN", "ORGANIZATION", "ADMINISTRATOR"),
    ],
}
"""Who may start with whom: from, in a group of a kind, to (E1, E2)."""

MANDATORY = ("TEACHERS", "GROUP", "PARENTS")
STUDY = ("CLASS", "SUBGROUP", "COURSE")
SHOWN = ("LEARNER", "TEACHER", "CURATOR", "EXPERT")


class Sight:
    """The school as one person sees it."""

    def __init__(self, rows: Rows, viewer_id: int, address: str) -> None:
        self.rows = rows
        self.me = rows.users[viewer_id]
        self.organization = rows.organizations[self.me.organization_id]
        self.policy: dict[str, Any] = json.loads(self.organization.policy)
        self.address = address
        self.is_linked = viewer_id in rows.linked
        self.is_administrator = self._is_at("ORGANIZATION", "ADMINISTRATOR")
        self.is_personnel = self._is_at("ORGANIZATION", PERSONNEL)
        self.is_office = self._is_at("ORGANIZATION", "STAFF ADMINISTRATOR")
        self.is_officer = self._is_at("ORGANIZATION", self.policy["safeguardingPosition"])
        self.teaches_subgroup = self._is_at("SUBGROUP", "TEACHER")
        self.may_act = self.is_linked or self.policy["linkRequirement"] != "ACT"
        self.may_join = self.is_linked or self.policy["linkRequirement"] == "NONE"

    # ---------------------------------------------------------------------------------- people, groups

    def sees_person(self, user: Row) -> bool:
        if user.organization_id != self.organization.id:
            return False
        if user is self.me or self.is_personnel or self.reaches(self.me, user) or self.reaches(user, self.me):
            return True
        rooms = {row.room_id for row in self.rows.rooms_of[self.me.id]} - self.rows.threads
        if any(row.room_id in rooms for row in self.rows.rooms_of[user.id]) or self._shares_message(user):
            return True
        return any(
            row.position in SHOWN
            and self.rows.groups[row.group_id].kind in STUDY
            and self.belongs_to(row.group_id)
            for row in self.rows.held_by[user.id]
        )

    def _shares_message(self, user: Row) -> bool:
        """Nobody learns from a message to whom else it went blindly, but its author."""
        return any(
            each.user_id == user.id and (mine.is_author or each.is_author or each.received_as != "BCC")
            for mine in self.rows.copies_for[self.me.id]
            if mine.deleted_at is None
            for each in self.rows.copies_of[mine.message_id]
        )

    def reaches(self, one: Row, other: Row) -> bool:
        family = {(one.id, other.id), (other.id, one.id)}
        if self.policy["guardianReachesChild"] and family & self.rows.guardians:
            return True
        return any(
            mine.position in start.split() and kind in kinds.split() and theirs.position in end.split()
            for mine in self.rows.held_by[one.id]
            for theirs in self.rows.held_by[other.id]
            if mine.group_id == theirs.group_id
            for kind in [self.rows.groups[mine.group_id].kind]
            for start, kinds, end in REACH[self.organization.preset]
        )

    def has_blocked(self, one: Row, other: Row) -> bool:
        return any(row.blocked_id == other.id for row in self.rows.blocked_by[one.id])

    def are_apart(self, one: Row, other: Row) -> bool:
        return self.has_blocked(one, other) or self.has_blocked(other, one)

    def belongs_to(self, group_id: int) -> bool:
        return any(row.group_id == group_id for row in self.rows.held_by[self.me.id])

    def teaches(self, group_id: int) -> bool:
        return any(row.group_id == group_id and row.position == "TEACHER" for row in self.rows.held_by[self.me.id])

    def sees_group(self, group: Row) -> bool:
        here = group.organization_id == self.organization.id and group.ended_at is None
        return here and (self.is_personnel or self.belongs_to(group.id))

    def members(self, group: Row, position: str | None) -> list[Row]:
        """The people of the group that are listed for the viewer, each once."""
        found = {}
        for row in self.rows.held_in[group.id]:
            listed = self.is_personnel or (
                group.kind in STUDY and (row.position in SHOWN or row.user_id == self.me.id)
            )
            if listed and position in (None, row.position):
                found[row.user_id] = self.rows.users[row.user_id]
        return list(found.values())

    def memberships(self, user: Row) -> list[Row]:
        return [
            row
            for row in self.rows.held_by[user.id]
            if self.rows.groups[row.group_id].ended_at is None
            and (user is self.me or self.is_office or self.belongs_to(row.group_id))
        ]

    # ------------------------------------------------------------------------------------ chats, calls

    def part_in(self, chat_id: int) -> Row | None:
        """The viewer's participation in the chat."""
        found = [row for row in self.rows.rooms_of[self.me.id] if row.room_id == chat_id]
        return found[0] if found else None

    def administers(self, chat_id: int) -> bool:
        mine = self.part_in(chat_id)
        return mine is not None and bool(mine.is_administrator)

    def is_own(self, chat: Row) -> bool:
        """E13."""
        return chat.ended_at is None and self.part_in(chat.id) is not None

    def sees_chat(self, chat: Row) -> bool:
        if chat.organization_id != self.organization.id or chat.ended_at is not None:
            return False
        return self.is_administrator or self.part_in(chat.id) is not None

    def sees_participants(self, chat: Row) -> bool:
        return self.is_administrator or self.part_in(chat.id) is not None

    def sees_call(self, call: Row) -> bool:
        chat = self.rows.chats[call.chat_id]
        if call.deleted_at is not None or not self.sees_chat(chat):
            return False
        if self.is_administrator or self.administers(chat.id):
            return True
        return call.status == "PUBLISHED" or (call.status == "CREATED" and self.sees_created)

    @property
    def sees_created(self) -> bool:
        return bool(self.policy["callVisibility"] == "CREATED_AND_PUBLISHED")

    def published_in(self, chat_id: int) -> Row | None:
        live = [row for row in self.rows.calls_in[chat_id] if row.deleted_at is None and row.status == "PUBLISHED"]
        return live[0] if live else None

    def chat_actions(self, chat: Row) -> list[str]:
        """E30 to E39, E44, A7: in the order of the enumeration."""
        mine, administers = self.part_in(chat.id), self.administers(chat.id)
        edits = administers and chat.kind not in MANDATORY
        has_administrator = any(
            row.is_administrator and self.rows.users[row.user_id].deactivated_at is None
            for row in self.rows.people_in[chat.id]
        )
        appoints = self.is_administrator and chat.kind not in MANDATORY and not has_administrator
        may = {
            "RENAME": edits,
            "EDIT_PARTICIPANTS": edits,
            "EDIT_ADMINISTRATORS": edits or appoints,
            "DELETE": edits,
            "CREATE_CALL": administers or self.is_administrator,
        }
        allowed = [action for action, right in may.items() if right and self.may_act]
        return [*allowed, "OPEN"] if self.may_join and mine is not None else allowed

    def call_actions(self, call: Row) -> list[str]:
        """E46 to E49, E53: in the order of the enumeration."""
        runs = self.may_act and (self.is_administrator or self.administers(call.chat_id))
        created, published = call.status == "CREATED", call.status == "PUBLISHED"
        may = {
            "UPDATE": runs and created,
            "PUBLISH": runs and created and self.published_in(call.chat_id) is None,
            "FINISH": runs and published,
            "DELETE": runs,
            "JOIN": self.may_join and published and self.part_in(call.chat_id) is not None,
        }
        return [action for action, right in may.items() if right]

    def can_create_chat(self) -> bool:
        """E36, A2: a subgroup chat by who teaches one, any other by an administrator."""
        kinds = self.policy["chatKinds"]
        subgroup = "SUBGROUP" in kinds and self.teaches_subgroup
        return self.may_act and (subgroup or ("CUSTOM" in kinds and self.is_administrator))

    def can_create_chat_for(self, group: Row) -> bool:
        offered = group.kind == "SUBGROUP" and "SUBGROUP" in self.policy["chatKinds"]
        return offered and self.may_act and self.teaches_subgroup and self.teaches(group.id)

    def new_calls(self) -> int:
        """E58, A14."""
        mine = [row.room_id for row in self.rows.rooms_of[self.me.id]]
        live = [call for room in mine if (call := self.published_in(room)) is not None]
        return sum(call.published_event > self.me.chats_seen_event for call in live)

    # -------------------------------------------------------------------------------------- what happened

    def hears_of_chat(self, event: Row) -> bool:
        return event.kind == "CHAT_CHANGED" and (self.is_administrator or self.took_part(event.chat_id, event))

    def hears_of_call(self, event: Row) -> bool:
        if event.kind not in ("CALL_CHANGED", "CALL_PUBLISHED"):
            return False
        if self.is_administrator or self.administers(event.chat_id):
            return True
        was_shown = self.sees_created or self.rows.calls[event.call_id].published_event is not None
        return was_shown and self.took_part(event.chat_id, event)

    def hears_of_publication(self, event: Row) -> bool:
        if (
            event.kind != "CALL_PUBLISHED"
            or self.part_in(event.chat_id) is None
            or not self.took_part(event.chat_id, event)
        ):
            return False
        published = self.published_in(event.chat_id)
        return published is not None and published.id == event.call_id

    def took_part(self, room_id: int, event: Row) -> bool:
        """When it happened: who comes or is removed hears of that, of nothing before, and of nothing after it."""
        return any(
            row.room_id == room_id
            and row.user_id == self.me.id
            and row.joined_event <= event.number
            and (row.left_event is None or event.number <= row.left_event)
            for row in self.rows.intervals
        )

    def _is_at(self, kind: str, positions: str) -> bool:
        return any(
            row.position in positions.split() and self._is_live(row.group_id, kind)
            for row in self.rows.held_by[self.me.id]
        )

    def _is_live(self, group_id: int, kind: str) -> bool:
        group = self.rows.groups[group_id]
        return bool(group.kind == kind and group.ended_at is None)


def folded(text: str) -> str:
    """Without case, accents and the difference of ё and е; й is no и with an accent. White space is one space."""
    letters = unicodedata.normalize("NFC", text.casefold())
    bare = ["й" if letter == "й" else _bare(letter) for letter in letters]
    return " ".join("".join(bare).split())


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if unicodedata.combining(part) == 0)
