"""Which job is next? Jobs wait in lines: those of one line are done in order, lines beside each other."""

import asyncio
import threading
from collections import deque
from collections.abc import Hashable
from typing import Any

from models.database.transaction import Job

BATCH = 200


class Asked:
    """A job that waits for a writer, and who waits for it."""

    def __init__(self, job: Job[Any], organization_id: int | None, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.organization_id = organization_id
        self.loop = loop
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.told: dict[str, Any] = {}

    def tell(self) -> None:
        if self.answer.done():
            return
        if "error" in self.told:
            self.answer.set_exception(self.told["error"])
            self.answer.exception()  # a caller that has gone does not ask: that is no unhandled error
        else:
            self.answer.set_result(self.told["result"])


class Lines:
    """Jobs that wait, shared by the threads that do them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: dict[Hashable, deque[Asked]] = {}
        self._ready: deque[Hashable] = deque()
        self._is_closed = False

    def put(self, line: Hashable, asked: Asked) -> None:
        with self._changed:
            if line in self._lines:
                self._lines[line].append(asked)
            else:
                self._lines[line] = deque([asked])
                self._ready.append(line)
                self._changed.notify()

    def take(self) -> tuple[Hashable, list[Asked]] | None:
        """All that waits in the next line, at most `BATCH`; None when all is done and no more will come.

        Nobody else takes from the line until it is `left`.
        """
        with self._changed:
            while not self._ready:
                if self._is_closed:
                    return None
                self._changed.wait()
            line = self._ready.popleft()
            waiting = self._lines[line]
            return line, [waiting.popleft() for _ in range(min(len(waiting), BATCH))]

    def leave(self, line: Hashable) -> None:
        with self._changed:
            if self._lines[line]:
                self._ready.append(line)
                self._changed.notify()
            else:
                del self._lines[line]

    def close(self) -> None:
        """What waits is still done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
