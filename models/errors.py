"""How the school says no: refusals for the person who asked, and the faults of a request."""

from enum import StrEnum, auto


class Code(StrEnum):
    """Why something was refused. The names are the API's `UserErrorCode`."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:  # noqa: ARG004
        return name

    NOT_FOUND = auto()
    INVALID_INPUT = auto()
    TOO_LARGE = auto()
    NOT_ALLOWED = auto()
    IDEMPOTENCY_CONFLICT = auto()
    MANDATORY_CHAT = auto()
    NOT_ADMINISTRATOR = auto()
    LAST_ADMINISTRATOR = auto()
    NO_SUBGROUP = auto()
    PROFILE_NOT_LINKED = auto()
    PROFILE_TAKEN = auto()
    CALL_ALREADY_PUBLISHED = auto()
    WRONG_CALL_STATUS = auto()
    OUT_OF_REACH = auto()
    CANNOT_START = auto()
    COUNTERPART_GONE = auto()
    NOT_PARTICIPANT = auto()
    MESSAGING_DISABLED = auto()
    LOCKDOWN = auto()
    IMMUTABLE = auto()
    NOT_IN_TRASH = auto()
    NO_RECIPIENT = auto()
    KIND_NOT_OFFERED = auto()
    ALREADY_HIDDEN = auto()


class Refused(Exception):
    """An expected refusal. It undoes everything that its job wrote.

    `field` names the input field with a wrong shape; `subject` is the key of the row that stands in the way;
    `locale` is the language of the person who asked, known once that person is.
    """

    def __init__(self, code: Code, *, field: str | None = None, subject: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.subject = subject
        self.locale = "en"


class RequestFault(Exception):
    """A fault of the request itself, for the programmer who wrote it; `code` goes into `extensions`, and `more`
    beside it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.more: dict[str, int] = {}


class Unauthenticated(RequestFault):
    """Nobody is signed in, or who was may not be any more."""

    def __init__(self, text: str = "Sign in: send a bearer token that is valid.") -> None:
        super().__init__("UNAUTHENTICATED", text)


class NoSuchThing(RequestFault):
    """What a subscription names is not there, or the viewer does not see it."""

    def __init__(self, text: str) -> None:
        super().__init__("NOT_FOUND", text)


class BadRequest(RequestFault):
    def __init__(self, text: str) -> None:
        super().__init__("BAD_REQUEST", text)


class LimitExceeded(RequestFault):
    def __init__(self, text: str) -> None:
        super().__init__("LIMIT_EXCEEDED", text)


class RateLimited(RequestFault):
    """Too much in too short a time; nothing was done. `retry_after`: whole seconds until it may be tried again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("RATE_LIMITED", f"Too much in too short a time. Try again in {retry_after} s.")
        self.retry_after = retry_after
        self.more = {"retryAfter": retry_after}


class Unavailable(RequestFault):
    """The database cannot be asked now; the same request may do well a little later."""

    def __init__(self, text: str = "The database is away. Try again.") -> None:
        super().__init__("UNAVAILABLE", text)


def refuse(code: Code | None) -> None:
    """Raises the refusal, if it is one: `refuse(decide(...))`."""
    if code is not None:
        raise Refused(code)
