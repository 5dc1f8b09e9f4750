"""Which schools are there, what time is it in them, and which policy do they follow?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Text, bindparam, cast, delete, insert, select, update

from models.actor import Viewer
from models.database import Transaction
from models.events import record
from models.policy import Policy, read_policy
from models.prepared import Prepared
from models.tables.base import Key
from models.tables.events import EventKind
from models.tables.organization import organizations, reach_rules

LOCALES = ("en", "fr", "ru")


@dataclass(frozen=True)
class Organization:
    """A school as the rules need it. `time_zone` is its IANA name; `policy` what it follows."""

    id: int
    name: str
    time_zone: ZoneInfo
    locale: str
    preset: str
    policy: Policy


def own_organization(viewer: Viewer) -> Select[Any]:
    """The viewer's, and its policy as `policy_text`."""
    policy = cast(organizations.c.policy, Text).label("policy_text")
    return select(organizations, policy).where(organizations.c.id == viewer.organization_id)


def every_organization(tx: Transaction) -> list[Organization]:
    """All of them, by number."""
    return [organization_from(row) for row in tx.execute(facts())]


def organization(tx: Transaction, organization_id: int) -> Organization:
    return organization_from(_FACTS.run(tx, of_organization=organization_id).one())


def organization_called(tx: Transaction, text: str) -> Organization:
    """The one with this `sourcedId`, or else with this name. Raises ValueError with one plain line."""
    for column in (organizations.c.source_id, organizations.c.name):
        found = [organization_from(row) for row in tx.execute(facts().where(column == text))]
        if len(found) > 1:
            raise ValueError(f"{text}: {len(found)} organizations have this name; give the sourcedId")
        if found:
            return found[0]
    raise ValueError(f"{text}: no organization has this name or sourcedId")


def facts() -> Select[Any]:
    """What `organization_from` needs of every organization, by number."""
    known = organizations.c
    policy = cast(known.policy, Text).label("policy_text")
    return select(known.id, known.name, known.time_zone, known.locale, known.preset, policy).order_by(known.id)


def organization_from(row: Sequence[Any]) -> Organization:
    """The organization, from the columns of `facts` in their order."""
    number, name, time_zone, locale, preset, policy = row
    return Organization(
        id=number,
        name=name,
        time_zone=ZoneInfo(time_zone),
        locale=locale,
        preset=preset,
        policy=read_policy(policy),
    )


def found(
    tx: Transaction,
    *,
    source_id: str,
    name: str,
    time_zone: str,
    locale: str,
    preset: str,
    policy: Policy,
) -> int:
    """A new organization that follows this policy; its number. Its first night is the next one from now."""
    organization_id: int = tx.execute(
        insert(organizations)
        .values(
            source_id=source_id,
            name=name,
            time_zone=time_zone,
            locale=locale,
            preset=preset,
            policy=policy.document(),
            imported_at=tx.now,
        )
        .returning(organizations.c.id)
    ).scalar_one()
    _write_policy(tx, organization_id, preset, policy)
    return organization_id


def settle(tx: Transaction, organization_id: int, *, name: str, time_zone: str, locale: str) -> bool:
    """The organization is called so, there, in this language from now on, and everybody is told; whether any of it
    is new."""
    known = organizations.c
    wanted = {"name": name, "time_zone": time_zone, "locale": locale}
    current = tx.execute(
        select(known.name, known.time_zone, known.locale).where(known.id == organization_id)
    ).one()
    if dict(current._mapping) == wanted:
        return False
    tx.execute(update(organizations).where(known.id == organization_id).values(wanted))
    record(tx, organization_id, EventKind.ORGANIZATION_CHANGED)
    return True


def set_policy(tx: Transaction, organization_id: int, preset: str, policy: Policy) -> None:
    """From now on the organization follows this policy, and everybody is told."""
    _write_policy(tx, organization_id, preset, policy)
    record(tx, organization_id, EventKind.ORGANIZATION_CHANGED)


def _write_policy(tx: Transaction, organization_id: int, preset: str, policy: Policy) -> None:
    """Its rules of reach become rows that joins can use."""
    tx.execute(
        update(organizations)
        .where(organizations.c.id == organization_id)
        .values(preset=preset, policy=policy.document())
    )
    tx.execute(delete(reach_rules).where(reach_rules.c.organization_id == organization_id))
    if policy.reach:
        tx.execute(
            insert(reach_rules),
            [
                {
                    "organization_id": organization_id,
                    "from_position": rule.from_position.value,
                    "group_kind": rule.group_kind.value,
                    "to_position": rule.to_position.value,
                    "descend": rule.descend,
                }
                for rule in policy.reach
            ],
        )


_FACTS = Prepared(facts().where(organizations.c.id == bindparam("of_organization", type_=Key)))
