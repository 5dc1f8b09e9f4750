"""Who says which account somebody has? One small interface; `app` brings the provider that is asked."""

import secrets
from datetime import datetime
from typing import NamedTuple, Protocol


class Attempt(NamedTuple):
    """A link in progress: what the provider's answer is tied to. Each text is made for this once and guessed by
    nobody."""

    state: str
    """Comes back with the browser."""

    verifier: str
    """Shown to the provider together with the code, which alone is worth nothing (RFC 7636)."""

    nonce: str
    """Stands in what the provider says of the account."""


def new_attempt() -> Attempt:
    return Attempt(*(secrets.token_urlsafe(32) for _ in Attempt._fields))


class SignIn(Protocol):
    """Where people sign in with an account of theirs. It may ask another server, so never inside a transaction."""

    provider: str
    """The name under which links are kept: what an account is called means nothing without it."""

    async def authorization_url(self, attempt: Attempt) -> str | None:
        """Where the browser goes to sign in (E42); None where nobody can. An address that begins with a slash
        lies below the server's public address. Raises Unavailable."""

    async def account(self, attempt: Attempt, code: str, *, now: datetime) -> str | None:
        """The account that signed in, by the code that the browser came back with; None for a code that is
        wrong, or was not given for this attempt. Raises Unavailable."""
