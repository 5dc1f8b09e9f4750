"""Is the database as new as the code? Brings it there, whatever its age."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

_LOCK = 0x70726561
"""Any number that nobody else takes."""

_HERE = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> bool:
    """Runs the migrations that are missing, in one transaction; whether there were any."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if is_current(connection):
            return False
        is_file = engine.dialect.name == "sqlite"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_file else "BEGIN")
        try:
            if not is_file:  # one process migrates, the others wait and find it done
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            command.upgrade(configuration(connection), "head")
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
    return True


def is_current(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(configuration(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


@cache
def known_revisions() -> tuple[str, ...]:
    """All that this program knows, the newest first."""
    return tuple(each.revision for each in ScriptDirectory(_HERE).walk_revisions())


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config
