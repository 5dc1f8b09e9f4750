"""Where does it run, and with which secrets? The environment, read once (README lists the variables)."""

import secrets
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from app.storage import Storage


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Raises ValidationError with a plain reason for what would not be safe."""

    model_config = SettingsConfigDict(env_prefix="PREAU_", frozen=True)

    database_url: str = "sqlite:///var/preau.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    secret: str | None = None
    environment: Environment = Environment.DEVELOPMENT
    public_url: str | None = None
    storage_url: str = "file:var/attachments"
    introspection: bool | None = None
    messenger_url: str = "builtin:"
    link_return_url: str | None = None
    allowed_origins: str = ""

    @field_validator("storage_url")
    @classmethod
    def is_a_place(cls, url: str) -> str:
        Storage(url)
        return url

    @model_validator(mode="after")
    def is_safe(self) -> Self:
        if self.environment is Environment.PRODUCTION and not self.secret:
            raise ValueError("PREAU_SECRET is required in production")
        if self.environment is Environment.DEVELOPMENT and not _is_loopback(self.host):
            raise ValueError(f"PREAU_HOST={self.host}: beyond loopback set PREAU_ENVIRONMENT=production")
        if self.messenger_url != "builtin:":
            raise ValueError(f"PREAU_MESSENGER_URL={self.messenger_url}: only builtin: is known")
        return self

    @property
    def in_development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT

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
        kept = Path(make_url(self.database_url).database or "var/preau.db").parent / "secret"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_name(f"secret-{secrets.token_hex(4)}")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(48))
            new.replace(kept)  # whole, or not at all
        return kept.read_text()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
