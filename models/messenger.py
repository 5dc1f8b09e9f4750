"""What does the school need of a messenger outside? One small interface; `app` brings the one that is used."""

from typing import Protocol


class ExternalMessenger(Protocol):
    """Chats, calls and profiles are mirrored there. No method touches the network: rules call them inside
    transactions, and what has to be sent leaves through the outbox.

    An address that begins with a slash lies below the server's public address.
    """

    provider: str
    """The name under which profile links are kept."""

    home: str
    """Where a linked person finds all chats (E21)."""

    def chat_url(self) -> str | None:
        """The address of a chat that is being created; None when the messenger gives it later."""

    def call_url(self) -> str | None:
        """The address of a call that is being created; None when the messenger gives it later."""

    def authorization_url(self, state: str) -> str:
        """Where the browser goes to sign in with the messenger (E42)."""

    def account(self, code: str) -> str | None:
        """The account that signed in, by the code the browser came back with; None for a wrong code."""
