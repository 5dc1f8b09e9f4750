"""What does an operation know of the world? Who asks, the database, and where to listen."""

from dataclasses import dataclass

from models.actor import Viewer
from models.database import Database
from models.errors import Unauthenticated
from resolvers.live import Listeners


@dataclass(frozen=True)
class Context:
    """Shared by all operations of a request or a socket: it holds nothing of a single operation.

    `identity` is None when signed out. `public_url` begins every address that is sent to clients.
    """

    database: Database
    listeners: Listeners
    identity: Viewer | None
    public_url: str

    @property
    def viewer(self) -> Viewer:
        """Who is signed in; raises Unauthenticated."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity
