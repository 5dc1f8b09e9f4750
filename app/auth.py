"""Who sent this? Bearer tokens, signed with the server's secret."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from models.actor import Viewer

LIFETIME = timedelta(hours=12)

LONGEST_TOKEN = 4096

LARGEST_KEY = 2**63 - 1
"""Of a row."""


@dataclass(frozen=True)
class Identity:
    """Who is signed in, and until when (seconds since 1970, UTC)."""

    viewer: Viewer
    expires: int


class Tokens:
    """Makes and reads tokens: HS256, claims `sub` and `org` (numbers as text), `exp`, `iat`."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(secret)
        self._read = lru_cache(maxsize=10_000)(self._verify)

    def issue(self, viewer: Viewer, *, now: datetime) -> str:
        claims = {
            "sub": str(viewer.id),
            "org": str(viewer.organization_id),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    def identify(self, authorization: str | None, *, now: datetime) -> Identity | None:
        """The identity in `Bearer TOKEN`; None without one, or with one that is forged or has expired."""
        token = bearer(authorization, longest=LONGEST_TOKEN)
        identity = self._read(token) if token else None
        return identity if identity is not None and identity.expires > now.astimezone(UTC).timestamp() else None

    def _verify(self, token: str) -> Identity | None:
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            viewer = Viewer(id=int(claims["sub"]), organization_id=int(claims["org"]))
            if not (0 < viewer.id <= LARGEST_KEY and 0 < viewer.organization_id <= LARGEST_KEY):
                return None
            return Identity(viewer, int(claims["exp"]))
        except (JoseError, ValueError, KeyError, TypeError, OverflowError):
            return None


def bearer(authorization: str | None, *, longest: int) -> str:
    """The token in `Bearer TOKEN`; empty without one, and for one that is longer."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and len(token) <= longest else ""
