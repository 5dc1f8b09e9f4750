"""Who asks too often? Allowances that fill up again: a person's, and an address's where nobody is signed in.

They are kept in the memory of one process. Several processes know nothing of each other's, so that whoever is
served by all of them has as many allowances.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from time import monotonic_ns

from models.errors import RateLimited

MINUTE = 60_000_000_000
"""Nanoseconds."""

RECIPIENTS = 600
UPLOADS = 300
LINKS = 30
REPORTS = 60
"""A minute, of one person."""

REQUESTS_SIGNED_OUT = 1_200
"""A minute, from one address. A whole school may sit behind it, but it signs in."""

MOST_KNOWN = 50_000
"""Whoever was seen last: of so many, one allowance each is remembered."""

KINDS = {
    "sendMessage": "sends",
    "sendMail": "sends",
    "saveDraft": "sends",
    "createGroupConversation": "sends",
    "beginProfileLink": "links",
    "completeProfileLink": "links",
    "recipients": "recipients",
    "reportMessage": "reports",
    "blockPerson": "reports",
    "unblockPerson": "reports",
}
"""The fields that use an allowance up, and which one."""

Moment = Callable[[], int]


class Allowance:
    """So many a minute. Whoever was quiet for a minute may do a minute's worth at once.

    Of each key only the moment is kept at which its allowance will be whole again.
    """

    def __init__(self, per_minute: int, moment: Moment = monotonic_ns) -> None:
        self._per_minute = per_minute
        self._moment = moment
        self._whole_at: OrderedDict[Hashable, int] = OrderedDict()

    def wait(self, key: Hashable, times: int = 1) -> int:
        """Nanoseconds until it is enough for so many; 0: now. What is more than a whole one waits for that."""
        if not self._per_minute:
            return 0
        now = self._moment()
        missing = max(self._whole_at.get(key, now) - now, 0)
        return max(missing + min(times, self._per_minute) * MINUTE // self._per_minute - MINUTE, 0)

    def take(self, key: Hashable, times: int = 1) -> None:
        """Uses so many up, whether or not they are there."""
        if not self._per_minute:
            return
        now = self._moment()
        self._whole_at[key] = max(self._whole_at.get(key, now), now) + times * MINUTE // self._per_minute
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > MOST_KNOWN:
            self._whole_at.popitem(last=False)

    def __len__(self) -> int:
        """How many keys are known."""
        return len(self._whole_at)


class Rates:
    """All allowances of this process."""

    def __init__(self, *, sends_per_minute: int, moment: Moment = monotonic_ns) -> None:
        self._of_person = {
            "sends": Allowance(sends_per_minute, moment),
            "links": Allowance(LINKS, moment),
            "recipients": Allowance(RECIPIENTS, moment),
            "uploads": Allowance(UPLOADS, moment),
            "reports": Allowance(REPORTS, moment),
        }
        self._of_address = Allowance(REQUESTS_SIGNED_OUT, moment)

    def operation(self, person: int, fields: Mapping[str, int]) -> None:
        """An operation of this person's asks for these fields so many times. It is counted as a whole, or refused
        as a whole: raises RateLimited."""
        asked: dict[str, int] = {}
        for field in KINDS.keys() & fields.keys():
            asked[KINDS[field]] = asked.get(KINDS[field], 0) + fields[field]
        if asked:
            self._use(person, asked)

    def upload(self, person: int) -> None:
        """Raises RateLimited."""
        self._use(person, {"uploads": 1})

    def signed_out(self, address: Hashable) -> None:
        """A request of nobody's. Raises RateLimited."""
        if wait := self._of_address.wait(address):
            raise RateLimited(_seconds(wait))
        self._of_address.take(address)

    def _use(self, person: int, asked: Mapping[str, int]) -> None:
        if wait := max(self._of_person[kind].wait(person, times) for kind, times in asked.items()):
            raise RateLimited(_seconds(wait))
        for kind, times in asked.items():
            self._of_person[kind].take(person, times)


def _seconds(nanoseconds: int) -> int:
    """Whole seconds, rather too many than too few."""
    return -(-nanoseconds // 1_000_000_000)
