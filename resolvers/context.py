"""What does an operation know of the world? Who asks, the database, and where to listen."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models import audit
from models.actor import Actor, Viewer, actor
from models.database import Database, Transaction
from models.errors import Refused, Unauthenticated
from resolvers.asked import Asked
from resolvers.ids import number
from resolvers.listeners import Listeners
from resolvers.lookahead import Finished, plan_of_object
from resolvers.signer import Signer
from resolvers.statement import Asking

Given = dict[str, Any]
Act = Callable[[Transaction, Actor], Given]


@dataclass(frozen=True)
class Context:
    """Shared by all operations of a request or a socket: it holds nothing of a single operation.

    `identity` is None when signed out. `public_url` begins every address that is sent to clients; `signer` signs
    those of attachments.
    """

    database: Database
    listeners: Listeners
    identity: Viewer | None
    public_url: str
    signer: Signer

    @property
    def viewer(self) -> Viewer:
        """Who is signed in; raises Unauthenticated."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity

    def asking(self, given: Given | None = None) -> Asking:
        known = {"messenger": self.database.messenger.home, **(given or {})}
        return Asking(self.viewer, self.public_url, self.signer, known)

    async def change(self, asked: Asked, act: Act) -> Finished:
        """Runs a mutation: check, do and read back in one job of the writer, told after its commit.

        `act` returns what the projection of the mutation's payload is given. A refusal leaves
        nothing behind and knows the language of the person; what did something leaves one audit entry.
        """
        viewer = self.viewer
        mutation = asked.field.name
        plan = plan_of_object(f"{mutation[0].upper()}{mutation[1:]}Payload", asked.field.selection)
        await plan.ready(self.database, viewer)  # nobody's writing waits for that

        def job(tx: Transaction) -> Any:
            person = actor(tx, viewer)
            try:
                given = act(tx, person)
            except Refused as refusal:
                refusal.locale = person.locale
                raise
            if tx.woken:
                audit.keep(tx, person.organization_id, mutation, _subjects(given, person), by=person.id)
            return plan.read_back(tx.connection, asked.values, self.asking(given))

        return Finished(await self.database.write(job, viewer.organization_id))

    async def change_one(
        self, asked: Asked, type_name: str, id_: str, act: Callable[[Transaction, Actor, int], None]
    ) -> Finished:
        """A mutation of the one thing that this id means; its payload is given the thing's number."""
        key = number(type_name, id_)

        def job(tx: Transaction, person: Actor) -> Given:
            act(tx, person, key)
            return {type_name.lower(): key}

        return await self.change(asked, job)


def _subjects(given: Given, by: Actor) -> list[str]:
    """The ids of what was changed; the person's own where nothing else was."""
    for kind, value in given.items():
        if isinstance(value, int):
            return [f"{kind[0].upper()}{kind[1:]}_{value}"]
        if kind == "messages":
            return [f"Message_{number}" for number in json.loads(value)]
    return [f"User_{by.id}"]
