"""What does the program tell its operator? Lines on stderr, each with the request that it belongs to.

In production a line is a JSON object, in development it is made for reading. Whatever logs, a library too, goes
through the same pipe. Nothing of a person stands in a line: no name, no text, no token, no address. A fault shows
where it happened and of which type it is; what an exception says is left out, for it may quote anything.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Error as SqliteError
from traceback import extract_tb
from typing import Any, TextIO

import orjson
import structlog
from aiohttp.http import HttpProcessingError
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

LONGEST_EVENT = 1_000
MOST_CAUSES = 5
MOST_FRAMES = 16

OURS = ("app", "jobs")
"""Whose plain information is wanted; of all others, warnings."""

SPEAKS_FREELY = (OSError, AttributeError, NameError, ImportError)
"""Exceptions that quote paths and names of the code, and nothing else."""

ROOT = Path(__file__).parents[1]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request, or the socket, on whose behalf something is done."""


def set_up(*, in_development: bool) -> None:
    """Everything that is logged from now on goes to stderr."""
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[pipe(sys.stderr, in_development=in_development)], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    quieten_libraries()


def pipe(stream: TextIO, *, in_development: bool) -> logging.Handler:
    """What makes lines of records."""
    handler = logging.StreamHandler(stream)
    told: list[Processor] = [_readable(stream)] if in_development else [_outlined, _as_json]
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[add_log_level, add_logger_name, ExtraAdder()],
            processors=[ProcessorFormatter.remove_processors_meta, _with_time, _with_request, *told],
        )
    )
    return handler


def quieten_libraries() -> None:
    """Faults are in the log once, with the reference that the client reads. Mistakes of clients are not."""
    logging.getLogger("strawberry.execution").disabled = True
    logging.getLogger("aiohttp.server").addFilter(_of_the_web_server)


def tell_of_lost_tasks(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the loop has to say, without the texts of the things that it happened to."""
    logging.getLogger("asyncio").error("%s", context["message"], exc_info=context.get("exception"))


def outline(error: BaseException) -> str:
    """Where it happened and of which type it is, for it and for what it came from; the latest first."""
    return "\n".join(line for each in _causes(error) for line in _outline_one(each))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen and len(seen) < MOST_CAUSES:
        yield cause
        seen.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _outline_one(error: BaseException) -> Iterator[str]:
    kind = type(error)
    said = _what_it_may_say(error)
    yield f"{kind.__module__}.{kind.__qualname__}{said and ': '}{said}".removeprefix("builtins.")
    for frame in reversed(extract_tb(error.__traceback__)[-MOST_FRAMES:]):
        path = Path(frame.filename)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(*path.parts[-2:])
        yield f"  {shown}:{frame.lineno} {frame.name}"


def _what_it_may_say(error: BaseException) -> str:
    """Codes of the engines, and the words of exceptions that quote nothing of a person."""
    if isinstance(error, SqliteError):
        return getattr(error, "sqlite_errorname", None) or ""
    if isinstance(error, SPEAKS_FREELY):
        return " ".join(str(error).split())[:LONGEST_EVENT]
    return getattr(error, "sqlstate", None) or ""


def _of_the_web_server(record: logging.LogRecord) -> bool:
    """Not what clients got wrong; and not from which address somebody came."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        return False
    if record.args:
        record.msg, record.args = str(record.msg).partition(" from %s")[0], ()
    return True


# ---------------------------------------------------------------------------------- what a line is made of


def _with_time(_: Any, __: str, event: EventDict) -> EventDict:
    event["event"] = str(event["event"])[:LONGEST_EVENT]
    return {"timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}


def _with_request(_: Any, __: str, event: EventDict) -> EventDict:
    if known := request_id.get():
        event["request"] = known
    return event


def _outlined(_: Any, __: str, event: EventDict) -> EventDict:
    """For production: the outline in place of the exception."""
    exc_info = event.pop("exc_info", None)
    if exc_info and exc_info[1] is not None:
        event["fault"] = outline(exc_info[1])
    return event


def _as_json(_: Any, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _readable(stream: TextIO) -> Processor:
    """For development, where what an exception says helps and harms nobody."""
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
