"""Who is it, by the school's identity provider? A token that it signed, and the person of that login.

The provider says who signs in, and nothing else: what somebody may do stands in the roster and the policy.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from time import monotonic
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from sqlalchemy import Text, and_, bindparam, or_, select

from app.auth import Identity, bearer
from app.id_tokens import LEEWAY
from app.keys import KINDS, Keys, Signatures, header_of
from app.settings import Settings
from models.actor import Viewer
from models.database import Database
from models.prepared import Prepared
from models.tables.organization import organizations
from models.tables.people import users

LONGEST_TOKEN = 8 * 1024

LONGEST_NAME = 255
"""Letters of a login, and of what an organization is called."""

MOST_KNOWN = 10_000
"""Tokens, and people, that are remembered."""

KNOWN_FOR = 5.0
"""Seconds for which it is remembered who has a login. What a person may do is asked anew each time."""

LATEST = 2**40
"""Seconds since 1970 after which no moment is worth telling apart."""


class Claims(NamedTuple):
    """What a token says, its signature being good. `begins` and `ends` are seconds since 1970."""

    login: str
    organization: str
    begins: int
    ends: int


class Provider:
    """The identity provider of all schools that are served here.

    `login_claim` and `organization_claim`: where a token says which login in which organization (by its sourcedId,
    or else by its name).
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        login_claim: str,
        organization_claim: str,
        moment: Callable[[], float] = monotonic,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._login_claim = login_claim
        self._organization_claim = organization_claim
        self._moment = moment
        self._read: OrderedDict[bytes, tuple[int, Claims]] = OrderedDict()
        self._people: OrderedDict[tuple[str, str], tuple[float, Viewer | None]] = OrderedDict()

    async def identify(self, authorization: str | None, database: Database, *, now: datetime) -> Identity | None:
        """The identity in `Bearer TOKEN`; None without one, with one that is not good now, and for nobody who is
        active here. Raises Unavailable."""
        token = bearer(authorization, longest=LONGEST_TOKEN)
        claims = await self._claims(token) if token and token.isascii() else None
        if claims is None:
            return None
        seconds = now.timestamp()
        if not claims.begins - LEEWAY <= seconds < claims.ends + LEEWAY:
            return None
        viewer = await self._person(database, claims)
        if viewer is None:
            return None
        ends = claims.ends if seconds < claims.ends else claims.ends + LEEWAY  # over by our clock alone
        return Identity(viewer, ends)

    async def _claims(self, token: str) -> Claims | None:
        """What it says. A good signature is looked at once, until the provider has other keys."""
        place = sha256(token.encode()).digest()
        known = self._read.get(place)
        if known is not None and known[0] == self._keys.changes:
            self._keys.keep_up()
            return known[1]
        try:
            header = header_of(token)
        except ValueError:
            return None
        key = await self._keys.find(header.get("alg"), header.get("kid"))
        if key is None:
            return None
        try:
            said = jwt.decode(token, key, algorithms=tuple(KINDS), registry=Signatures()).claims
            claims = self._sound(said)
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        _keep(self._read, place, (self._keys.changes, claims))
        return claims

    def _sound(self, said: Mapping[str, Any]) -> Claims:
        """Raises ValueError for what this provider has not said, to this program, of somebody, until a moment."""
        audience = said.get("aud")
        if said.get("iss") != self._issuer:
            raise ValueError("iss")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise ValueError("aud")
        begins = max((math.ceil(_moment(said[name])) for name in ("nbf", "iat") if name in said), default=0)
        return Claims(
            _name(said.get(self._login_claim)),
            _name(said.get(self._organization_claim)),
            begins,
            math.floor(_moment(said.get("exp"))),
        )

    async def _person(self, database: Database, claims: Claims) -> Viewer | None:
        """Who has the login now, or had a few seconds ago."""
        place, moment = (claims.organization, claims.login), self._moment()
        known = self._people.get(place)
        if known is not None and moment - known[0] < KNOWN_FOR:
            return known[1]
        rows = await _CALLED.read(database, organization=claims.organization, login=claims.login)
        by_id = [row for row in rows if row[2]]
        (person, organization, _), *others = by_id or rows or [(None, None, None)]
        viewer = None if person is None or others else Viewer(person, organization)
        _keep(self._people, place, (moment, viewer))
        return viewer


def provider_of(settings: Settings, *, moment: Callable[[], float] = monotonic) -> Provider | None:
    """The provider that the settings name; None where this server's own tokens are taken."""
    if settings.jwks_url is None or settings.issuer is None or settings.audience is None:
        return None
    return Provider(
        Keys(settings.jwks_url, moment=moment),
        issuer=settings.issuer,
        audience=settings.audience,
        login_claim=settings.login_claim,
        organization_claim=settings.organization_claim,
        moment=moment,
    )


_CALLED = Prepared(
    select(
        users.c.id,
        organizations.c.id,
        organizations.c.source_id == bindparam("organization", type_=Text),
    )
    .select_from(
        organizations.outerjoin(
            users,
            and_(
                users.c.organization_id == organizations.c.id,
                users.c.login == bindparam("login", type_=Text),
                users.c.deactivated_at.is_(None),
            ),
        )
    )
    .where(
        or_(
            organizations.c.source_id == bindparam("organization", type_=Text),
            organizations.c.name == bindparam("organization", type_=Text),
        )
    )
)
"""Each organization of that sourcedId or name, with the active person of that login there, if there is one."""


def _keep(known: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > MOST_KNOWN:
        known.popitem(last=False)


def _name(said: Any) -> str:
    """A text, or the only one of a list: some providers tell every membership. Raises ValueError."""
    text = said[0] if isinstance(said, list) and len(said) == 1 else said
    if not (isinstance(text, str) and text.isprintable() and 0 < len(text) <= LONGEST_NAME):
        raise ValueError("no name")
    return text


def _moment(said: Any) -> float:
    """Seconds since 1970 (RFC 7519, 2). Raises ValueError."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= LATEST:
        raise ValueError("no moment")
    return said
