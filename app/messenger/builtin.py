"""What is there without a messenger outside? Addresses of the server's own, and a sign-in that is a page of it."""

import secrets
from datetime import datetime
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from app.messenger.addresses import new_room
from models.sign_in import Attempt, SignIn


class OwnSignIn:
    """Signing in with a page of the server. The code that the page gives is the account, signed: nobody links an
    account that he did not sign in to. `is_open`: whether the page is there.
    """

    provider = "builtin"

    def __init__(self, secret: str, *, is_open: bool = True) -> None:
        self.is_open = is_open
        self._key = OctKey.import_key(secret + ":messenger")

    async def authorization_url(self, attempt: Attempt) -> str | None:
        return f"/messenger/authorize?{urlencode({'state': attempt.state})}" if self.is_open else None

    async def account(self, attempt: Attempt, code: str, *, now: datetime) -> str | None:  # noqa: ARG002
        return self.account_of(code) if self.is_open else None

    def code(self, account: str) -> str:
        """What the browser brings back after signing in as this account."""
        return jwt.encode({"alg": "HS256"}, {"account": account}, self._key)

    def account_of(self, code: str) -> str | None:
        """Whose code it is; None for one that the page did not give."""
        try:
            account = jwt.decode(code, self._key, algorithms=["HS256"]).claims.get("account")
        except (JoseError, ValueError):
            return None
        return account if isinstance(account, str) and account.isprintable() else None


class NoSignIn:
    """Nobody can sign in, and nobody is an account because this server says so."""

    provider = "none"

    async def authorization_url(self, attempt: Attempt) -> str | None:  # noqa: ARG002
        return None

    async def account(self, attempt: Attempt, code: str, *, now: datetime) -> str | None:  # noqa: ARG002
        return None


class BuiltinMessenger:
    """No messenger outside: messages of chats live here, and nobody is told. Calls are held where `call_url` says,
    if it says so."""

    home: str | None = "/messenger"
    holds_chats = True
    is_outside = False

    def __init__(self, secret: str, *, call_url: str | None = None, sign_in: SignIn | None = None) -> None:
        self.sign_in: SignIn = sign_in or OwnSignIn(secret)
        self._call_url = call_url

    def chat_url(self) -> str | None:
        return f"/messenger/chats/{secrets.token_urlsafe(16)}"

    def call_url(self) -> str | None:
        if self._call_url is not None:
            return new_room(self._call_url)
        return f"/messenger/calls/{secrets.token_urlsafe(16)}"
