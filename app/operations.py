"""What is asked, by whom, and is it well formed? Reads operations out of clients' JSON and runs them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import orjson
from sqlalchemy import literal
from strawberry.types.graphql import OperationType

from app.answers import Answer, answer, refusal
from app.auth import Identity, Tokens
from app.identity import provider_of
from app.proxies import Proxies
from app.rates import Rates
from app.settings import Settings
from app.shares import Shares
from models.actor import ASKING, Viewer, person
from models.database import Database
from models.errors import BadRequest
from models.prepared import Prepared
from resolvers.context import Context
from resolvers.listeners import Listeners
from resolvers.signer import Signer
from schema.execution import Charge, Events, Schema

ONE_ANSWER = (OperationType.QUERY, OperationType.MUTATION)

# A backslash before the escape may itself be escaped: only an odd one makes a NUL.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_TEXTS_AND_COMMENTS = re.compile(r'"""(?:\\"""|[\s\S])*?"""|"(?:\\.|[^"\\\n\r])*"|#[^\n\r]*')
_INTROSPECTION = re.compile(r"\b__(?:schema|type)\b")


class Malformed(BadRequest):
    """What came is no operation at all."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of a client, of the right shape; nothing of it has been looked into yet."""

    query: str
    variables: dict[str, Any] | None
    name: str | None


def read_json(text: str) -> Any:
    """Strict JSON: no NaN, no lone surrogates, no endless numbers, no depth without end. Raises Malformed."""
    try:
        return orjson.loads(text)
    except ValueError:
        raise Malformed("This is no JSON.") from None


def read_operation(members: Any, text: str) -> Operation:
    """The operation in a decoded object; `text` is what it was decoded from.

    Raises Malformed for a wrong shape, BadRequest for the one character that no text may hold.
    """
    if not isinstance(members, dict):
        raise Malformed("The request must be one JSON object.")
    query = members.get("query")
    if not isinstance(query, str) or not query:
        raise Malformed("`query` must be the text of a document.")
    name = members.get("operationName")
    if name is not None and not isinstance(name, str):
        raise Malformed("`operationName` must be a text.")
    variables = members.get("variables")
    for member in ("variables", "extensions"):
        if not isinstance(members.get(member), dict | None):
            raise Malformed(f"`{member}` must be an object.")
    if "\\u0000" in text and _NUL.search(text):
        raise BadRequest("The character NUL has no place in a text.")
    return Operation(query, variables, name)


def is_introspection(query: str) -> bool:
    """Whether the document selects `__schema` or `__type`; texts and comments may say these words."""
    return "__" in query and bool(_INTROSPECTION.search(_TEXTS_AND_COMMENTS.sub(" ", query)))


class Api:
    """The schema with the world around it: what HTTP and the WebSocket both need."""

    def __init__(
        self, schema: Schema, settings: Settings, *, database: Database, listeners: Listeners, tokens: Tokens
    ) -> None:
        self.settings = settings
        self.database = database
        self.signer = Signer(settings.signing_secret, public_url=settings.address, clock=database.clock)
        self.on_open: Callable[[Operation, Answer, float], None] = _tell_nobody
        self._schema = schema
        self._listeners = listeners
        self._tokens = tokens
        self._provider = provider_of(settings)
        self.rates = Rates(sends_per_minute=settings.sends_per_minute)
        self.shares = Shares()
        self.proxies = Proxies(settings.trusted_proxies)

    async def identify(self, authorization: str | None) -> Identity | None:
        """Who is signed in by this header; None without a token that is valid now. Where the school has an
        identity provider, no other tokens are taken. Raises Unavailable."""
        now = self.database.clock()
        if self._provider is not None:
            return await self._provider.identify(authorization, self.database, now=now)
        return self._tokens.identify(authorization, now=now)

    async def is_active(self, viewer: Viewer) -> bool:
        """Whether the person is still there."""
        return bool(await _ACTIVE.read(self.database, viewer=viewer.id, organization=viewer.organization_id))

    def context(self, identity: Identity | None) -> Context:
        return Context(
            database=self.database,
            listeners=self._listeners,
            identity=identity.viewer if identity else None,
            public_url=self.settings.address,
            signer=self.signer,
        )

    async def execute(self, operation: Operation, context: Context) -> Answer:
        """The answer to a query or a mutation."""
        try:
            self._admit(operation)
            return answer(
                await self._schema.execute(
                    operation.query,
                    operation.variables,
                    context_value=context,
                    operation_name=operation.name,
                    allowed_operation_types=ONE_ANSWER,
                    charge=self._charge(context),
                )
            )
        except Exception as error:
            return refusal(error)

    async def open(self, operation: Operation, context: Context) -> Events | Answer:
        """The events of a subscription, not begun yet, or the answer to any other operation."""
        began = perf_counter()
        try:
            self._admit(operation)
            opened = await self._schema.open(
                operation.query, operation.variables, context, operation.name, charge=self._charge(context)
            )
            given = opened if isinstance(opened, Events) else answer(opened)
        except Exception as error:
            given = refusal(error)
        self.on_open(operation, {"data": None} if isinstance(given, Events) else given, perf_counter() - began)
        return given

    def _charge(self, context: Context) -> Charge | None:
        """Who is signed out is refused what would be counted."""
        return partial(self.rates.operation, context.identity.id) if context.identity else None

    def _admit(self, operation: Operation) -> None:
        if not self.settings.introspects and is_introspection(operation.query):
            raise BadRequest("Introspection is switched off here: the schema is published with the documentation.")


def _tell_nobody(_: Operation, __: Answer, ___: float) -> None:
    """Until somebody counts."""


_ACTIVE = Prepared(person(ASKING).with_only_columns(literal(1)))
