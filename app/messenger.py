"""Which messenger does the school use? The built-in one: every address lies below the server's own."""

import secrets
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey


class BuiltinMessenger:
    """No messenger outside: rooms have addresses here, and signing in with it is a page of the server.

    The code that the page gives is the account, signed: nobody links an account that he did not sign in to.
    """

    provider = "builtin"
    home = "/messenger"

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(secret + ":messenger")

    def chat_url(self) -> str:
        return f"/messenger/chats/{secrets.token_urlsafe(16)}"

    def call_url(self) -> str:
        return f"/messenger/calls/{secrets.token_urlsafe(16)}"

    def authorization_url(self, state: str) -> str:
        return f"/messenger/authorize?{urlencode({'state': state})}"

    def code(self, account: str) -> str:
        """What the browser brings back after signing in as this account."""
        return jwt.encode({"alg": "HS256"}, {"account": account}, self._key)

    def account(self, code: str) -> str | None:
        try:
            account = jwt.decode(code, self._key, algorithms=["HS256"]).claims.get("account")
        except (JoseError, ValueError):
            return None
        return account if isinstance(account, str) else None
