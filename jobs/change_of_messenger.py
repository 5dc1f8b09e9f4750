"""Has the school another messenger than before? Then its chats go over to the one that is used now."""

import logging

from models.change_of_provider import change_provider
from models.chat_conversations import settle
from models.database import Database
from models.introduction import introduce, take_back
from models.organization import every_organization

log = logging.getLogger(__name__)


def go_over(database: Database) -> None:
    """Once at every start, one short transaction per organization; where nothing has changed, nothing is written.

    Links count where people sign in now. Chats get their conversations here, or lose them to a messenger outside,
    which is told of all there is.
    """
    with database.transaction() as tx:
        schools = every_organization(tx)
    for school in schools:
        with database.transaction(school.id) as tx:
            aside, back = change_provider(tx, school.id)
            settle(tx, school.id)
            take_back(tx, school.id)
            introduced = introduce(tx, school.id)
        if aside or back:
            log.info("profile links: %s are set aside, %s open again; another provider is asked", aside, back)
        if introduced:
            log.info("the messenger is told of %s chats of %s", introduced, school.name)
