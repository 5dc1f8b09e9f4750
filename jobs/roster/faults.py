"""What is wrong with a set, and where? Faults forbid the import; notes are only told."""

from dataclasses import dataclass, field

MOST_LISTED = 1000


@dataclass(frozen=True)
class Fault:
    """`line` is the physical line of the file in which the row begins; `column` the header's name for it.

    Both are None where a file as a whole is meant.
    """

    file: str
    line: int | None
    column: str | None
    reason: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.file}{line}{column}: {self.reason}"


class BrokenRoster(Exception):
    """The set has faults and nothing of it was imported. `more` counts those beyond the listed ones."""

    def __init__(self, faults: list[Fault], more: int = 0) -> None:
        super().__init__("\n".join(_lines(faults, more)))
        self.faults = faults
        self.more = more

    def lines(self) -> list[str]:
        """For a terminal: one line per fault, and how many more there are."""
        return _lines(self.faults, self.more)


@dataclass
class Findings:
    """Gathers what reading and checking a set brings to light.

    `damaged`: the files whose rows are not all known; what refers to them cannot be judged.
    """

    faults: list[Fault] = field(default_factory=list)
    more: int = 0
    notes: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)

    def fault(self, file: str, line: int | None, column: str | None, reason: str) -> None:
        if len(self.faults) < MOST_LISTED:
            self.faults.append(Fault(file, line, column, reason))
        else:
            self.more += 1

    def note(self, text: str) -> None:
        self.notes.append(text)

    def refuse(self) -> None:
        """Raises BrokenRoster if there is any fault; by file, then by line."""
        if self.faults:
            raise BrokenRoster(sorted(self.faults, key=lambda fault: (fault.file, fault.line or 0)), self.more)


def _lines(faults: list[Fault], more: int) -> list[str]:
    return [*map(str, faults), *([f"and {more} more faults"] if more else [])]
