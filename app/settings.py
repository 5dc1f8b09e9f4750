"""Where does it run, and with which secrets? The environment, read once (README lists the variables)."""

import secrets
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from app.brokers import broker_at
from app.messenger.addresses import (
    bridge_address,
    call_address,
    home_address,
    is_loopback,
    issuer_address,
    provider_address,
)
from app.proxies import Proxies
from app.storage import Storage

SHORTEST_SECRET = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Raises ValidationError with a plain reason for what would not be safe."""

    model_config = SettingsConfigDict(env_prefix="PREAU_", frozen=True)

    database_url: str = "sqlite:///var/preau.db"
    broker_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    secret: str | None = None
    environment: Environment = Environment.DEVELOPMENT
    public_url: str | None = None
    storage_url: str = "file:var/attachments"
    introspection: bool | None = None
    messenger_url: str = "builtin:"
    messenger_secret: str | None = None
    messenger_home: str | None = None
    call_url: str | None = None
    link_issuer: str | None = None
    link_client_id: str | None = None
    link_client_secret: str | None = None
    link_return_url: str | None = None
    allowed_origins: str = ""
    metrics_token: str | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    audience: str | None = None
    login_claim: str = "preferred_username"
    organization_claim: str = "organization"
    sends_per_minute: int = Field(default=600, ge=0)
    trusted_proxies: str = ""

    @field_validator("broker_url")
    @classmethod
    def is_a_broker(cls, url: str | None) -> str | None:
        if url:
            broker_at(url)
        return url or None

    @field_validator("storage_url")
    @classmethod
    def is_a_place(cls, url: str) -> str:
        Storage(url)
        return url

    @field_validator("messenger_url")
    @classmethod
    def is_a_messenger(cls, url: str) -> str:
        if url != "builtin:":
            bridge_address(url)
        return url

    @field_validator("messenger_home")
    @classmethod
    def is_a_page(cls, url: str | None) -> str | None:
        return home_address(url) if url else None

    @field_validator("call_url")
    @classmethod
    def is_a_template(cls, url: str | None) -> str | None:
        return call_address(url) if url else None

    @field_validator("link_issuer")
    @classmethod
    def is_an_issuer(cls, url: str | None) -> str | None:
        return issuer_address(url) if url else None

    @field_validator("jwks_url")
    @classmethod
    def is_a_provider(cls, url: str | None) -> str | None:
        return provider_address(url) if url else None

    @field_validator("login_claim", "organization_claim")
    @classmethod
    def is_a_claim(cls, name: str) -> str:
        if not name:
            raise ValueError("the name of a claim is wanted")
        return name

    @field_validator("trusted_proxies")
    @classmethod
    def are_addresses(cls, listed: str) -> str:
        Proxies(listed)
        return listed

    @model_validator(mode="after")
    def can_tell_who_it_is(self) -> Self:
        """A provider that signs for others as well is not believed unless it says that it is it, and means us."""
        for name, value in (("ISSUER", self.issuer), ("AUDIENCE", self.audience)):
            if self.jwks_url and not value:
                raise ValueError(f"PREAU_{name}: wanted beside PREAU_JWKS_URL")
            if value and not self.jwks_url:
                raise ValueError(f"PREAU_{name}: means nothing without PREAU_JWKS_URL")
        return self

    @model_validator(mode="after")
    def can_be_linked(self) -> Self:
        if self.link_issuer is None:
            return self
        if not self.link_client_id:
            raise ValueError("PREAU_LINK_CLIENT_ID: the provider of PREAU_LINK_ISSUER has given one")
        if self.link_return_url:
            try:
                provider_address(self.link_return_url)
            except ValueError as error:
                raise ValueError(f"PREAU_LINK_RETURN_URL: {error}") from None
        elif not self.in_development:
            raise ValueError("PREAU_LINK_RETURN_URL: the page to which PREAU_LINK_ISSUER sends the browser back")
        return self

    @model_validator(mode="after")
    def is_safe(self) -> Self:
        if self.environment is Environment.PRODUCTION and not self.secret:
            raise ValueError("PREAU_SECRET is required in production")
        if self.environment is Environment.DEVELOPMENT and not is_loopback(self.host):
            raise ValueError(f"PREAU_HOST={self.host}: beyond loopback set PREAU_ENVIRONMENT=production")
        if not self.is_builtin and len(self.messenger_secret or "") < SHORTEST_SECRET:
            raise ValueError(f"PREAU_MESSENGER_SECRET: a bridge wants {SHORTEST_SECRET} characters at least")
        return self

    @property
    def in_development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT

    @property
    def is_builtin(self) -> bool:
        """Whether there is no messenger outside."""
        return self.messenger_url == "builtin:"

    @property
    def signs_in_itself(self) -> bool:
        """Whether people sign in to link their profiles with a page of this server. In production nobody is an
        account outside because this server says so."""
        return not self.link_issuer and (self.in_development or bool(self.link_return_url and self.is_builtin))

    @property
    def broker(self) -> str:
        """Who carries wake-ups between servers: the database itself, where several may share it."""
        shared = not self.database_url.startswith("sqlite")
        return self.broker_url or (self.database_url if shared else "memory:")

    @property
    def introspects(self) -> bool:
        return self.in_development if self.introspection is None else self.introspection

    @property
    def address(self) -> str:
        """What the addresses sent to clients begin with; no slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def origins(self) -> frozenset[str]:
        """The origins of SPAs that may call the API."""
        return frozenset(part.strip() for part in self.allowed_origins.split(",") if part.strip())

    @cached_property
    def signing_secret(self) -> str:
        """The secret that signs tokens. For local use one is made once and kept beside the database."""
        if self.secret:
            return self.secret
        address = make_url(self.database_url)
        is_file = address.get_backend_name() == "sqlite"
        kept = Path((is_file and address.database) or "var/preau.db").parent / "secret"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_name(f"secret-{secrets.token_hex(4)}")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(48))
            new.replace(kept)  # whole, or not at all
        return kept.read_text()
