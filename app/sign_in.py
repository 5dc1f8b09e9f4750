"""Who signed in with the messenger's own provider? OpenID Connect: an authorization code, PKCE, and an ID token.

The provider is found by its issuer and asked over the network, so never inside a transaction. What is sent and
what comes back does not stand in the log.
"""

import logging
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import BaseModel

from app.fetching import PATIENCE, NoAnswer, Said, ask, asking
from app.id_tokens import Expected, NotTrue, key_set, subject, verified
from app.messenger.addresses import provider_address
from models.errors import Unavailable
from models.sign_in import Attempt

log = logging.getLogger(__name__)

KNOWN_FOR = 3600.0
"""Seconds after which a provider is asked again where it is, and which keys it has."""

_CODE = re.compile(r"[!-~]{1,2000}")
_ERROR = re.compile(r"[a-z_]{1,40}")

Value = TypeVar("Value")


class Issuer:
    """An OpenID provider. Links are kept under the name of its issuer; accounts are its `sub`.

    Without a secret this program is a public client: PKCE alone shows that the code was given to it.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str | None,
        return_url: str,
        patience: float = PATIENCE,
    ) -> None:
        self.provider = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._return_url = return_url
        self._patience = patience
        self._discovered = _Kept[_Discovered]()
        self._keys = _Kept[KeySet]()

    async def authorization_url(self, attempt: Attempt) -> str | None:
        try:
            async with asking(self._patience) as session:
                found = await self._discover(session)
        except NoAnswer as fault:
            raise _unavailable(fault) from None
        address: str = prepare_grant_uri(
            found.authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._return_url,
            scope="openid",
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return address

    async def account(self, attempt: Attempt, code: str, *, now: datetime) -> str | None:
        if not _CODE.fullmatch(code):
            return None
        try:
            async with asking(self._patience) as session:
                found = await self._discover(session)
                tokens = await self._redeem(session, found, attempt, code)
                if tokens is None:
                    return None
                token = await self._verified(session, found, tokens)
                return subject(token, self._expected(attempt, tokens), now=now)
        except NoAnswer as fault:
            raise _unavailable(fault) from None
        except NotTrue as fault:
            log.warning("what the sign-in provider said of an account is not in order: %s", fault)
            return None

    # ------------------------------------------------------------------------------------- step by step

    async def _discover(self, session: aiohttp.ClientSession) -> "_Discovered":
        if (known := self._discovered.value()) is not None:
            return known
        said = await ask(session, f"{self.provider.rstrip('/')}/.well-known/openid-configuration")
        return self._discovered.keep(_read(said, self.provider))

    async def _redeem(
        self, session: aiohttp.ClientSession, found: "_Discovered", attempt: Attempt, code: str
    ) -> dict[str, Any] | None:
        """The tokens for the code; None when the provider says that it is wrong."""
        form = prepare_token_request(
            "authorization_code", code=code, redirect_uri=self._return_url, code_verifier=attempt.verifier
        )
        address, headers, form = self._as_client(found).prepare("POST", found.token_endpoint, {}, form)
        said = await ask(session, address, form=form, headers=headers)
        if said.status == 200:
            return said.object
        error = said.object.get("error")
        if said.status == 400 and error == "invalid_grant":
            return None
        known = error if isinstance(error, str) and _ERROR.fullmatch(error) else "no error of OAuth"
        raise NoAnswer(f"tokens: status {said.status}, {known}")

    def _as_client(self, found: "_Discovered") -> Any:
        if self._client_secret is None:
            return ClientAuth(self._client_id, None, "none")
        offered = found.token_endpoint_auth_methods_supported
        if "client_secret_basic" in offered:  # each is encoded as in a form (RFC 6749, 2.3.1)
            return ClientAuth(quote(self._client_id, safe=""), quote(self._client_secret, safe=""))
        if "client_secret_post" in offered:
            return ClientAuth(self._client_id, self._client_secret, "client_secret_post")
        raise NoAnswer("discovery: it takes no client's secret that we could show")

    async def _verified(
        self, session: aiohttp.ClientSession, found: "_Discovered", tokens: Mapping[str, Any]
    ) -> jwt.Token:
        """The ID token, signed by a key of the provider's; its keys may be others since they were looked up."""
        text = tokens.get("id_token")
        if not isinstance(text, str):
            raise NotTrue("no ID token")
        if (known := self._keys.value()) is not None:
            try:
                return verified(text, known)
            except NotTrue:
                pass
        said = await ask(session, found.jwks_uri)
        if said.status != 200:
            raise NoAnswer(f"keys: status {said.status}")
        return verified(text, self._keys.keep(key_set(said.object)))

    def _expected(self, attempt: Attempt, tokens: Mapping[str, Any]) -> Expected:
        access = tokens.get("access_token")
        return Expected(self.provider, self._client_id, attempt.nonce, access if isinstance(access, str) else None)


class _Discovered(BaseModel):
    """What of a provider's own description is needed (OpenID Connect Discovery, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    code_challenge_methods_supported: list[str] = ["S256"]


def _read(said: Said, issuer: str) -> _Discovered:
    """Raises NoAnswer for a description that is another's, or that leads where it should not."""
    if said.status != 200:
        raise NoAnswer(f"discovery: status {said.status}")
    try:
        found = _Discovered.model_validate(said.object)
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if urlsplit(provider_address(address)).scheme == "http" and urlsplit(issuer).scheme == "https":
                raise ValueError
    except ValueError:
        raise NoAnswer("discovery: not in order") from None
    if found.issuer != issuer:
        raise NoAnswer("discovery: another issuer")
    if "S256" not in found.code_challenge_methods_supported:
        raise NoAnswer("discovery: no PKCE with S256")
    return found


class _Kept(Generic[Value]):
    """Something that was learned, for as long as it is believed without asking again."""

    def __init__(self) -> None:
        self._value: Value | None = None
        self._until = 0.0

    def value(self) -> Value | None:
        return self._value if time.monotonic() < self._until else None

    def keep(self, value: Value) -> Value:
        self._value, self._until = value, time.monotonic() + KNOWN_FOR
        return value


def _unavailable(fault: NoAnswer) -> Unavailable:
    log.warning("the sign-in provider cannot be asked: %s", fault)
    return Unavailable("The provider that people sign in with cannot be asked now: nothing was linked.")
