"""Where does somebody who tries the program find a school? Two made-up ones, through the ordinary import."""

import tempfile
from pathlib import Path

from jobs.demo.gorizont import GORIZONT
from jobs.demo.roster_set import write_zip
from jobs.demo.story import is_told, link_people, tell
from jobs.demo.tilleuls import TILLEULS
from jobs.nightly import run_nights
from jobs.roster import import_roster
from models.database import Database

SCHOOLS = (GORIZONT, TILLEULS)


def prepare(database: Database) -> bool:
    """Both schools with their first night, links, chats and calls; whether anything had to be done.

    Once: a second time changes nothing, whatever has happened there since. Killed half-way, it goes on.
    """
    with database.transaction() as tx:
        if is_told(tx):
            return False
    import_schools(database)
    with database.transaction() as tx:
        if not is_told(tx):
            for school in SCHOOLS:
                link_people(tx, school)
            tell(tx)
    return True


def import_schools(database: Database) -> None:
    """Both rosters, and tonight's mandatory chats. The same set again changes nothing."""
    with tempfile.TemporaryDirectory(prefix="preau-demo-") as directory:
        for school in SCHOOLS:
            path = Path(directory) / f"{school.source_id}.zip"
            write_zip(school, path)
            import_roster(database, path, preset=school.preset, time_zone=school.time_zone, locale=school.locale)
            run_nights(database, organization=school.source_id)
