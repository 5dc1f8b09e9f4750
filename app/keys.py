"""Which keys does the school's identity provider sign with? Those that it publishes, kept, and looked up again."""

import asyncio
import copy
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, RSAKey

from app.fetching import NoAnswer, ask, asking
from app.id_tokens import key_set
from models.errors import Unavailable

PATIENCE = 5.0
"""Seconds within which the provider must answer."""

KNOWN_FOR = 600.0
"""Seconds after which the keys are looked up again, while those that are known go on."""

BETWEEN = 30.0
"""Seconds between two look-ups at least, whatever tokens come meanwhile."""

KINDS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
    "Ed25519": "OKP",
}
"""The signatures that are taken, and the kind of key that makes each. Only a private key makes them: neither none
at all, nor one by a secret, for which a public key could be passed off."""

SHORTEST_RSA = 2048
"""Bits."""

log = logging.getLogger(__name__)


class Keys:
    """What stands at the provider's address."""

    def __init__(self, address: str, *, moment: Callable[[], float] = monotonic) -> None:
        self.changes = 0
        """How often the keys were others than before: what was true by the old ones may not be any more."""
        self._address = address
        self._moment = moment
        self._keys: list[Key] | None = None
        self._asked: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def find(self, algorithm: Any, name: Any) -> Key | None:
        """The key of this name (`kid`) that makes such signatures; None where there is none. A token may leave the
        name out where the provider has one key alone.

        Raises Unavailable as long as the provider has never answered.
        """
        kind = KINDS.get(algorithm) if isinstance(algorithm, str) else None
        if kind is None:
            return None
        found = self._known(kind, name)
        if found is None:
            await self._look_up()
            found = self._known(kind, name)
        else:
            self.keep_up()
        if self._keys is None:
            raise Unavailable("The school's identity provider cannot be asked now. Try again.")
        return found

    def keep_up(self) -> None:
        """Looks again, when it is time, for keys that have come and gone; nobody waits for it."""
        if self._is_due(KNOWN_FOR):
            self._begin()

    def _known(self, kind: str, name: Any) -> Key | None:
        keys = self._keys or []
        if name is None:
            return keys[0] if len(keys) == 1 and keys[0].key_type == kind else None
        return next((key for key in keys if key.kid == name and key.key_type == kind), None)

    def _is_due(self, seconds: float) -> bool:
        return self._asked is None or self._moment() - self._asked >= seconds

    async def _look_up(self) -> None:
        """Waits for what is being asked. Who goes away meanwhile stops nothing: others wait for it as well."""
        if self._is_due(BETWEEN):
            self._begin()
        if self._asking is not None:
            await asyncio.shield(self._asking)

    def _begin(self) -> None:
        if self._asking is None:
            self._asked = self._moment()
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        """Once. Without an answer the known keys go on."""
        try:
            async with asking(PATIENCE) as session:
                said = await ask(session, self._address)
            if said.status != 200 or not isinstance(said.object.get("keys"), list):
                raise NoAnswer(f"status {said.status}, no keys")
            keys = [key for key in key_set(said.object) if _is_strong(key)]
            if self._keys is None or _names(keys) != _names(self._keys):
                self.changes += 1
            self._keys = keys
        except NoAnswer as fault:
            log.warning("the school's identity provider does not tell its keys: %s", fault)
        finally:
            self._asking = None


class Signatures(jws.JWSRegistry):
    """Of what is signed, that what concerns us is looked at; a header may say more (RFC 7515, 4)."""

    max_header_length = 4096

    def __init__(self) -> None:
        super().__init__(algorithms=tuple(KINDS), strict_check_header=False)


Signatures.algorithms = {name: copy.copy(jws.JWSRegistry.algorithms[name]) for name in KINDS}
Signatures.algorithms["EdDSA"].security_warning = None  # an older name for Ed25519, which providers still use


def header_of(token: str) -> dict[str, Any]:
    """What the token says of its signature, which nobody has looked at yet. Raises ValueError."""
    try:
        return jws.extract_compact(token.encode(), registry=Signatures()).protected
    except (JoseError, ValueError, TypeError, RecursionError):
        raise ValueError("no token") from None


def _is_strong(key: Key) -> bool:
    """Whether nobody finds out the private key (RFC 7518, 3.3); a secret that is published is none."""
    return key.key_type != "oct" and (not isinstance(key, RSAKey) or key.public_key.key_size >= SHORTEST_RSA)


def _names(keys: list[Key]) -> list[str]:
    """What tells keys apart: their content, whatever they are called, and what they are called."""
    return [f"{key.kid} {key.thumbprint()}" for key in keys]
