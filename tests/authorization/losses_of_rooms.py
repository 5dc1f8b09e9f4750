"""What is lost with a chat, a call, or a conversation?"""

from models.authorization.rule import Kind, Relation
from models.errors import Code
from models.tables.people import Position
from tests.authorization.losing import (
    call_deleted,
    call_finished,
    calls_are_hidden,
    chat_ends,
    deleted_for_oneself,
    dismissed,
    next_roster,
    removed_from_chat,
    removed_from_chat_without_history,
    removed_from_conversation,
    removed_without_history,
    unlinked,
)
from tests.authorization.loss import Loss

LEARNER, ADMINISTRATOR, TEACHER = Position.LEARNER, Position.ADMINISTRATOR, Position.TEACHER

NOT_FOUND = Code.NOT_FOUND

OF_CHAT = {
    "renameChat": NOT_FOUND,
    "addChatParticipants": NOT_FOUND,
    "deleteChat": NOT_FOUND,
    "createCall": NOT_FOUND,
}
OF_CALL = {"deleteCall": NOT_FOUND}

OF_ROOMS = (
    # ---- a chat
    Loss(
        "removed from the chat",
        (Kind.CHAT, Relation.ADMINISTERS, LEARNER),
        removed_from_chat,
        sees=("Chat.url", "Viewer.chats", "Organization.chats"),
        does=OF_CHAT,
        hears=("chatChanged",),
    ),
    Loss(
        "the chat is deleted",
        (Kind.CHAT, Relation.ADMINISTERS, ADMINISTRATOR),
        chat_ends,
        sees=("Chat.url", "Viewer.chats", "Organization.chats", "Conversation.chat"),
        does=OF_CHAT,
    ),
    Loss(
        "no longer administrator of the chat",
        (Kind.CHAT, Relation.ADMINISTERS, LEARNER),
        dismissed,
        does={"renameChat": Code.NOT_ADMINISTRATOR, "createCall": Code.NOT_ADMINISTRATOR},
        keeps_node=True,
    ),
    Loss(
        "no longer administrator of the organization",
        (Kind.CHAT, Relation.STRANGER, ADMINISTRATOR),
        next_roster,
        sees=("Organization.chats",),
        does={"createCall": NOT_FOUND},
        hears=("chatChanged",),
    ),
    Loss(
        "the profile is not linked any more",
        (Kind.CHAT, Relation.ADMINISTERS, TEACHER),
        unlinked,
        sees=("Chat.url",),
        does={"renameChat": Code.PROFILE_NOT_LINKED, "createCall": Code.PROFILE_NOT_LINKED},
        keeps_node=True,
    ),
    Loss(
        "removed from the chat, its conversation without history",
        (Kind.CHAT_CONVERSATION, Relation.TAKES_PART, LEARNER),
        removed_from_chat_without_history,
        sees=("Viewer.conversations", "Chat.conversation"),
        does={"sendMessage": NOT_FOUND, "muteConversation": NOT_FOUND, "markConversationRead": NOT_FOUND},
        hears=("messageReceived", "conversationChanged"),
    ),
    # ---- calls
    Loss(
        "removed from the call's chat",
        (Kind.PUBLISHED_CALL, Relation.ADMINISTERS, LEARNER),
        removed_from_chat,
        sees=("Chat.calls", "Chat.publishedCall", "Call.joinUrl", "Viewer.feed"),
        does={"finishCall": NOT_FOUND, "deleteCall": NOT_FOUND},
        hears=("callPublished",),
    ),
    Loss(
        "removed from the created call's chat",
        (Kind.CREATED_CALL, Relation.TAKES_PART, LEARNER),
        removed_from_chat,
        sees=("Chat.calls",),
        hears=("callChanged",),
    ),
    Loss(
        "no longer administrator of the call's chat",
        (Kind.FINISHED_CALL, Relation.ADMINISTERS, LEARNER),
        dismissed,
        sees=("Chat.calls",),
        does=OF_CALL,
    ),
    Loss(
        "no longer administrator of the organization, for calls",
        (Kind.CREATED_CALL, Relation.STRANGER, ADMINISTRATOR),
        next_roster,
        sees=("Chat.calls",),
        does={"updateCall": NOT_FOUND, "publishCall": NOT_FOUND, "deleteCall": NOT_FOUND},
        hears=("callChanged",),
    ),
    Loss(
        "the call is finished",
        (Kind.PUBLISHED_CALL, Relation.TAKES_PART, LEARNER),
        call_finished,
        sees=("Chat.calls", "Chat.publishedCall", "Call.joinUrl", "Viewer.feed"),
    ),
    Loss(
        "the call is deleted",
        (Kind.PUBLISHED_CALL, Relation.ADMINISTERS, ADMINISTRATOR),
        call_deleted,
        sees=("Chat.calls", "Chat.publishedCall", "Call.joinUrl", "Viewer.feed"),
        does=OF_CALL,
    ),
    Loss(
        "created calls are hidden",
        (Kind.CREATED_CALL, Relation.TAKES_PART, LEARNER),
        calls_are_hidden,
        sees=("Chat.calls",),
        hears=("callChanged",),
    ),
    # ---- conversations
    Loss(
        "removed from the conversation",
        (Kind.GROUP_CONVERSATION, Relation.ADMINISTERS, ADMINISTRATOR),
        removed_from_conversation,
        does={
            "sendMessage": Code.NOT_PARTICIPANT,
            "renameConversation": Code.NOT_PARTICIPANT,
            "addParticipants": Code.NOT_PARTICIPANT,
            "muteConversation": Code.NOT_PARTICIPANT,
        },
        hears=("messageReceived", "conversationChanged"),
        keeps_node=True,
    ),
    Loss(
        "removed from the conversation, and its history is taken",
        (Kind.GROUP_CONVERSATION, Relation.TAKES_PART, LEARNER),
        removed_without_history,
        sees=("Viewer.conversations",),
        does={
            "sendMessage": NOT_FOUND,
            "leaveConversation": NOT_FOUND,
            "deleteConversation": NOT_FOUND,
            "markConversationRead": NOT_FOUND,
        },
        hears=("messageReceived", "conversationChanged"),
    ),
    Loss(
        "the conversation is deleted for oneself",
        (Kind.DIRECT, Relation.TAKES_PART, TEACHER),
        deleted_for_oneself,
        sees=("Viewer.conversations",),
        does={"sendMessage": NOT_FOUND, "muteConversation": NOT_FOUND, "deleteConversation": NOT_FOUND},
    ),
)
