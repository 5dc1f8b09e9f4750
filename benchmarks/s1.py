"""S1, one message to 1,000 WebSocket listeners: until the last one has it, and what it costs the server for each.

Twice: to 30 people of a group on 1,000 devices, against one prepared frame that a raw server sends to all; and to
1,000 different people, against a raw server that stores the message for each of them first, as M1's does, because
nobody may be told before. What an idle listener needs is the memory of the server with so many of them, less that
without; 5,000 idle ones are counted as a whole.
"""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from app.auth import Tokens
from app.messenger import BuiltinMessenger
from benchmarks import school, servers
from benchmarks.crowd import Crowd, Heard
from benchmarks.school import NOW, PEOPLE, SCHOOL, School
from benchmarks.servers import SECRET, Server
from models.actor import Viewer
from models.database import Database
from models.tables.chats import participations, rooms
from models.tables.conversations import ConversationKind, conversations

NAME = "s1"
TITLE = "S1, one message to 1,000 WebSocket listeners"
VAR = Path("var")

LISTENERS, MANY = 1_000, 5_000
FEW_PEOPLE = 30
FEW, ALL = 100_000, 100_001
"""The rooms of a group, and of everybody who listens."""

AUTHOR = 1

MUST, AIM = 1.5, 1.2
MUST_KIB, AIM_KIB = 25, 20
MOST_MEGABYTES = 250

WARM_UP = 10
TO_SETTLE = 1.5
"""Seconds after which a crowd that has just come is idle."""

SUBSCRIBE = """subscription($after: String) {
  messageReceived(after: $after) {
    cursor
    message { id body sentAt author { id name } conversation { id } }
  }
}"""
SEND = """mutation($input: SendMessageInput!) {
  sendMessage(input: $input) { ... on SendMessagePayload { sent { id } } }
}"""
BODY = "Завтра первый урок в кабинете 214, возьмите тетради для контрольных работ."


@dataclass(frozen=True)
class Told:
    """One message to all. Nanoseconds; `cpu` is the server's, for each delivery."""

    last: int
    cpu: float
    busy: float


@dataclass(frozen=True)
class Compared:
    """A limit and Préau, round by round."""

    title: str
    limit: tuple[Told, ...]
    ours: tuple[Told, ...]

    @property
    def x(self) -> float:
        """How many times longer Préau takes: the median over the rounds."""
        return median(its.last / mine.last for mine, its in self._pairs())

    @property
    def cpu_x(self) -> float:
        return median(its.cpu / mine.cpu for mine, its in self._pairs())

    def _pairs(self) -> list[tuple[Told, Told]]:
        return list(zip(self.limit, self.ours, strict=True))


@dataclass(frozen=True)
class Memory:
    """KiB for each idle listener, of the limit and of Préau; and the whole server with `MANY`."""

    limit_kib: float
    kib: float
    megabytes: float


@dataclass(frozen=True)
class Outcome:
    compared: tuple[Compared, ...]
    memory: Memory

    @property
    def is_met(self) -> bool:
        return self._within(MUST, MUST_KIB)

    @property
    def verdict(self) -> str:
        if not self.is_met:
            return "MISSED"
        return "met, and the aim" if self._within(AIM, AIM_KIB) else "met, not the aim"

    def _within(self, x: float, kib: float) -> bool:
        is_quick = all(one.x <= x and one.cpu_x <= x for one in self.compared)
        return is_quick and self.memory.kib <= kib and self.memory.megabytes <= MOST_MEGABYTES

    def show(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False)
        table.add_column("", no_wrap=True)
        for column in ("to the last, ms", "x", "CPU us each", "CPU x"):
            table.add_column(column, justify="right")
        for one in self.compared:
            table.add_row(one.title, *_cells(one.limit))
            table.add_row("  Préau", *_cells(one.ours, f"{one.x:.2f}", f"{one.cpu_x:.2f}"))
        bounds = f"{MUST} / {AIM}"
        table.add_row("must / aim", "", bounds, "", bounds)
        console.print(TITLE, soft_wrap=True)
        console.print(table)
        memory = self.memory
        console.print(
            f"An idle listener: {memory.kib:.1f} KiB (must {MUST_KIB}, aim {AIM_KIB}); of aiohttp alone "
            f"{memory.limit_kib:.1f}. {MANY:,} of them: {memory.megabytes:.0f} MB of at most {MOST_MEGABYTES}.",
            soft_wrap=True,
        )
        busy = max(each.busy for one in self.compared for each in (*one.limit, *one.ours))
        console.print(f"The client was busy up to {busy:.0%}.")
        console.print(f"Must: {self.verdict}.\n", soft_wrap=True)


def run(rounds: int) -> Outcome:
    """Raises RuntimeError when a listener hears nothing."""
    VAR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=VAR) as name:
        folder = Path(name).absolute()
        made = school.make(folder)
        gather(made, FEW, FEW_PEOPLE)
        gather(made, ALL, LISTENERS)
        raws = _copy(made, folder / "raw.db")
        with servers.preau(made) as preau, servers.broadcast(raws, ALL) as raw, Crowd() as crowd:
            limit_kib = _come(crowd, raw, "/listen", [("",)] * LISTENERS, hears=0)
            kib = _come(crowd, preau, "/graphql", _says(LISTENERS, FEW_PEOPLE), hears=1)
            frame = _tell(crowd, preau, _send(FEW))[1].frame
            to_few = _compare(
                "one prepared frame", crowd, (raw, _post("/tell", frame)), (preau, _send(FEW)), rounds
            )
        with servers.preau(made) as preau, servers.broadcast(raws, ALL) as raw, Crowd() as crowd:
            _come(crowd, raw, "/listen", [("",)] * LISTENERS, hears=0)
            _come(crowd, preau, "/graphql", _says(LISTENERS, LISTENERS), hears=1)
            title = "stored for 1,000 people, then one frame"
            to_all = _compare(title, crowd, (raw, _post("/store", frame)), (preau, _send(ALL)), rounds)
        with servers.preau(made) as preau, Crowd() as crowd:
            _come(crowd, preau, "/graphql", _says(MANY, PEOPLE), hears=1)
            megabytes = kib_of(preau) / 1024
    return Outcome((to_few, to_all), Memory(limit_kib, kib, megabytes))


Request = tuple[Server, bytes]


def _compare(title: str, crowd: Crowd, limit: Request, ours: Request, rounds: int) -> Compared:
    """In turns, each first every other time."""
    for _ in range(WARM_UP):
        _tell(crowd, *limit)
        _tell(crowd, *ours)
    taken: tuple[list[Told], list[Told]] = ([], [])
    for number in range(rounds):
        for turn in (0, 1) if number % 2 else (1, 0):
            taken[turn].append(_tell(crowd, *(limit, ours)[turn])[0])
    return Compared(title, tuple(taken[0]), tuple(taken[1]))


def _copy(made: School, path: Path) -> School:
    shutil.copyfile(made.path, path)
    return School(path, made.viewer)


def gather(made: School, room: int, count: int) -> None:
    """A conversation of so many people."""
    database = Database(made.url, messenger=BuiltinMessenger("x" * 40), clock=lambda: NOW)
    own = {"organization_id": SCHOOL}
    with database.transaction() as tx:
        tx.execute(insert(rooms), [{**own, "id": room}])
        group = {"kind": ConversationKind.GROUP, "title": "Объявления", "search_key": "объявления"}
        tx.execute(insert(conversations), [{**own, **group, "id": room, "created_at": NOW}])
        part = {"is_administrator": False, "is_linked": True, "joined_at": NOW, "joined_event": 1}
        people = range(AUTHOR, AUTHOR + count)
        tx.execute(insert(participations), [{**own, **part, "room_id": room, "user_id": one} for one in people])
        tx.connection.exec_driver_sql("COMMIT")
        tx.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        tx.connection.exec_driver_sql("BEGIN")


def _come(crowd: Crowd, server: Server, path: str, says: Sequence[Sequence[str]], *, hears: int) -> float:
    """KiB for each of them."""
    before = kib_of(server)
    crowd.open(server.port, path, says=says, hears=hears)
    time.sleep(TO_SETTLE)
    return (kib_of(server) - before) / len(says)


def _says(count: int, people: int) -> list[tuple[str, str]]:
    """What each of so many sockets of so many people says."""
    now = datetime.now(UTC)
    tokens = [Tokens(SECRET).issue(Viewer(AUTHOR + place, SCHOOL), now=now) for place in range(people)]
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": SUBSCRIBE}}
    return [
        (
            _json({"type": "connection_init", "payload": {"Authorization": f"Bearer {tokens[place % people]}"}}),
            _json(subscribe),
        )
        for place in range(count)
    ]


def _tell(crowd: Crowd, server: Server, request: bytes) -> tuple[Told, Heard]:
    before = _cpu(server)
    heard = crowd.tell(server.port, request)
    time.sleep(0.05)
    cpu = (_cpu(server) - before) / LISTENERS
    return Told(heard.last, cpu, heard.cpu / heard.last), heard


def _send(room: int) -> bytes:
    token = Tokens(SECRET).issue(Viewer(AUTHOR, SCHOOL), now=datetime.now(UTC))
    given = {"input": {"conversationId": f"Conversation_{room}", "body": BODY}}
    return _post("/graphql", _json({"query": SEND, "variables": given}), f"Authorization: Bearer {token}")


def _post(path: str, text: str, *heads: str) -> bytes:
    body = text.encode()
    head = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *heads)
    return "\r\n".join((*head, f"Content-Length: {len(body)}", "", "")).encode() + body


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def kib_of(server: Server) -> float:
    """What the server occupies in memory."""
    status = Path(f"/proc/{server.process_id}/status").read_text()
    return float(status.partition("VmRSS:")[2].split()[0])


def _cpu(server: Server) -> int:
    """What all its threads have used, by the clock that the kernel keeps of the process. Nanoseconds."""
    return time.clock_gettime_ns((~server.process_id << 3) | 2)


def _cells(taken: Sequence[Told], x: str = "", cpu_x: str = "") -> tuple[str, ...]:
    last, cpu = median(each.last for each in taken), median(each.cpu for each in taken)
    return f"{last / 1e6:.1f}", x, f"{cpu / 1e3:.1f}", cpu_x
