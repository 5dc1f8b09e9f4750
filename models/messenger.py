"""What does the school need of a messenger outside? One small interface; `app` brings the one that is used."""

from typing import Protocol

from models.sign_in import SignIn


class ExternalMessenger(Protocol):
    """Chats, calls and profiles are mirrored there. No method touches the network: rules call them inside
    transactions, and what has to be sent leaves through the outbox.

    An address that begins with a slash lies below the server's public address.
    """

    sign_in: SignIn
    """Who says which account of it somebody has."""

    home: str | None
    """Where a linked person finds all chats (E21); None where there is no such address."""

    holds_chats: bool
    """Whether the messages of chats live here, in the conversations of the chats."""

    is_outside: bool
    """Whether somebody outside is told of chats, calls and profiles: what nobody hears is not queued."""

    def chat_url(self) -> str | None:
        """The address of a chat that is being created; None when the messenger gives it later."""

    def call_url(self) -> str | None:
        """The address of a call that is being created; None when the messenger gives it later."""
