"""Which schools are there, what time is it in them, and which policy do they follow?"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, delete, insert, select, update

from models.database import Transaction
from models.policy import Policy, read_policy
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


def every_organization(tx: Transaction) -> list[Organization]:
    """All of them, by number."""
    policy = cast(organizations.c.policy, Text).label("policy_text")
    return [
        Organization(
            id=row.id,
            name=row.name,
            time_zone=ZoneInfo(row.time_zone),
            locale=row.locale,
            preset=row.preset,
            policy=read_policy(row.policy_text),
        )
        for row in tx.execute(select(organizations, policy).order_by(organizations.c.id))
    ]


def set_policy(tx: Transaction, organization_id: int, preset: str, policy: Policy) -> None:
    """From now on the organization follows this policy; its rules of reach become rows that joins can use."""
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
                }
                for rule in policy.reach
            ],
        )
