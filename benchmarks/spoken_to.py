"""How does a benchmark talk to a process of its own? In lines of JSON, a task and its answer."""

import subprocess
import sys
from types import TracebackType
from typing import Any, Self

import orjson


class SpokenTo:
    """The process that runs a module of the benchmarks. Use it in a `with`."""

    module: str

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        """The answer to the task. Raises RuntimeError with the fault that it tells of."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(task) + b"\n")
        self._process.stdin.flush()
        told: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        if "fault" in told:
            raise RuntimeError(told["fault"])
        return told
