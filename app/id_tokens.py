"""Is it true what a provider says of an account? The keys that it publishes, and the token that they signed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Signatures that nobody but the provider can make: neither none at all, nor one by a secret that is shared."""

LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""

MOST_KEYS = 50

LONGEST_ACCOUNT = 255
"""Letters of a `sub` (OpenID Connect Core, 2)."""


class _Signed(jws.JWSRegistry):
    """A header may say more than what concerns us (RFC 7515, 4), unless it says that it does (`crit`)."""

    max_header_length = 4096

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)


class Expected(NamedTuple):
    """What has to stand in the token: it is for this program and for this attempt, and about this access."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


class NotTrue(Exception):
    """The text names what is wrong, and quotes nothing."""


def key_set(said: Mapping[str, Any]) -> KeySet:
    """The keys of a JWK set that can be used here; those of kinds that are not known are left out."""
    listed = said.get("keys")
    keys = []
    for each in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        try:
            if each.get("use", "sig") == "sig":
                keys.append(JWKRegistry.import_key(each))
        except (JoseError, ValueError, TypeError, AttributeError, KeyError):
            continue
    return KeySet(keys)


def verified(text: str, keys: KeySet) -> jwt.Token:
    """The token, if one of these keys has signed it. Raises NotTrue."""
    try:
        return jwt.decode(text, keys, registry=_Signed())
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotTrue(type(error).__name__) from None


def subject(token: jwt.Token, expected: Expected, *, now: datetime) -> str:
    """The account that the token is about (OpenID Connect Core, 3.1.3.7). Raises NotTrue."""
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
            "nonce": {"essential": True, "value": expected.nonce},
        },
        params={**expected._asdict()},
    )
    try:
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotTrue(f"{type(error).__name__} {getattr(error, 'claim', '')}".strip()) from None
    account = claims["sub"]
    if not (isinstance(account, str) and account.isprintable() and 0 < len(account) <= LONGEST_ACCOUNT):
        raise NotTrue("sub")
    return account
