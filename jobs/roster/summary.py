"""What did an import do?"""

from collections import Counter
from dataclasses import dataclass, field

KINDS = ("organizations", "people", "groups", "memberships", "guardianships")
WAYS = ("added", "changed", "ended")


@dataclass(frozen=True)
class Count:
    """How many rows were added, changed and ended. Who or what comes back is changed."""

    added: int = 0
    changed: int = 0
    ended: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, way)} {way}" for way in WAYS if getattr(self, way))


@dataclass(frozen=True)
class Summary:
    organizations: Count = Count()
    people: Count = Count()
    groups: Count = Count()
    memberships: Count = Count()
    guardianships: Count = Count()
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return any(str(getattr(self, kind)) for kind in KINDS)

    def lines(self) -> list[str]:
        """For a terminal: what changed, then the notes."""
        told = [f"{kind}: {getattr(self, kind)}" for kind in KINDS if str(getattr(self, kind))]
        return [*(told or ["nothing changed"]), *(f"note: {note}" for note in self.notes)]


class Tally:
    """Counts while the import runs."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, kind: str, *, added: int = 0, changed: int = 0, ended: int = 0) -> None:
        self._counts.update({(kind, "added"): added, (kind, "changed"): changed, (kind, "ended"): ended})

    def summary(self, notes: list[str]) -> Summary:
        counts = {kind: Count(*(self._counts[kind, way] for way in WAYS)) for kind in KINDS}
        return Summary(**counts, notes=notes)
