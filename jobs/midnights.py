"""When does a night begin? At the first moment of each local date, once per date, whatever the clocks do then."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.organization import Organization


def today(organization: Organization, now: datetime) -> date:
    """The local date there."""
    return now.astimezone(organization.time_zone).date()


def due_date(
    organization: Organization, imported_at: datetime, last_run: date | None, now: datetime
) -> date | None:
    """The local date whose night the server must run now, or None.

    `imported_at`: when the organization was first imported; only midnights after that are the server's.
    `last_run`: the latest night that has run, leaving out dates that are still to come (a command may have
    run those). Nights missed before today's are not made up for: today's does their work. A date that a clock
    leaves out has no night.
    """
    here = today(organization, now)
    if today(organization, imported_at) >= here:
        return None
    return None if last_run is not None and last_run >= here else here


def next_midnight(time_zone: ZoneInfo, after: datetime) -> datetime:
    """When the next local day begins, in UTC. Where the clocks skip midnight, that is when they do; where they
    repeat it, the first, and after that the second."""
    tomorrow = after.astimezone(time_zone).date() + timedelta(days=1)
    first = datetime.combine(tomorrow, time(), time_zone)
    begins = first.astimezone(UTC)
    return begins if begins > after else first.replace(fold=1).astimezone(UTC)
