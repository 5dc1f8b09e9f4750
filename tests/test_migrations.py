"""Do the migrations make the tables that the program knows, and does the newest one lead back?"""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from app.messenger import BuiltinMessenger
from models.database import Database
from models.migrate import configuration, is_current, known_revisions, migrate
from models.tables import metadata
from tests.engines import new_url


def differences(engine: Engine) -> list[object]:
    """What an automatic migration would still change."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_migrations_make_the_tables_and_the_newest_leads_back(tmp_path: Path) -> None:
    engine = Database(new_url(tmp_path), messenger=BuiltinMessenger("x" * 40)).engine
    assert migrate(engine)
    assert differences(engine) == []
    with engine.begin() as connection:
        command.downgrade(configuration(connection), known_revisions()[1])
    assert differences(engine) != []
    assert migrate(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        assert is_current(connection)
