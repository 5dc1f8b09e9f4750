"""What does every command need first? Settings that are sound, and a database as new as the code."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from app.auth import Tokens
from app.commands.mistake import Mistake
from app.messenger import messenger_of
from app.settings import Settings
from models.database import Database
from models.migrate import migrate


@dataclass(frozen=True)
class Opened:
    settings: Settings
    database: Database
    tokens: Tokens


def read_settings() -> Settings:
    """The environment's. Raises Mistake with the first variable that is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        text = fault["msg"].removeprefix("Value error, ")
        variable = "".join(f"PREAU_{part}: ".upper() for part in fault["loc"])
        raise Mistake(variable + text) from None
    _check_address(settings.database_url)
    return settings


@contextmanager
def opened() -> Iterator[Opened]:
    """The database of the environment, migrated. What the engine refuses on the way is a Mistake."""
    settings = read_settings()
    try:
        secret = settings.signing_secret
        tokens = Tokens(secret)
    except (OSError, ValueError) as error:
        raise Mistake(f"PREAU_SECRET: {error}") from None
    try:
        database = Database(settings.database_url, messenger=messenger_of(settings))
    except (OSError, ValueError) as error:
        raise Mistake(f"PREAU_DATABASE_URL: {error}") from None
    try:
        migrate(database.engine)
        yield Opened(settings, database, tokens)
    except CommandError as error:
        raise Mistake(f"{database.backend.place}: made by a newer version of this program ({error})") from None
    except DBAPIError as error:
        raise Mistake(f"{database.backend.place}: {error.orig}") from None


def _check_address(url: str) -> None:
    """The URL itself is not repeated: it may hold a password."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise Mistake("PREAU_DATABASE_URL: this is no database URL; sqlite:///var/preau.db is one") from None
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise Mistake("PREAU_DATABASE_URL: a file is wanted, as in sqlite:///var/preau.db")
