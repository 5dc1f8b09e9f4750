"""Words by which people are found.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

from models.search_words import words_of_person

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PEOPLE = 5_000

users = sa.table(
    "users",
    sa.column("id", sa.Integer),
    sa.column("organization_id", sa.Integer),
    sa.column("name", sa.Text),
    sa.column("login", sa.Text),
    sa.column("deactivated_at", sa.Text),
)


def upgrade() -> None:
    words = op.create_table(
        "search_words",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("of_name", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_search_words_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_search_words_organization_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("user_id", "word", name=op.f("pk_search_words")),
        sqlite_with_rowid=False,
    )
    _fill(words)
    op.create_index("ix_search_words", "search_words", ["organization_id", "word", "user_id", "of_name"])


def downgrade() -> None:
    op.drop_index("ix_search_words", table_name="search_words")
    op.drop_table("search_words")


def _fill(words: sa.Table) -> None:
    """For everybody who is active, some thousand at a time."""
    connection = op.get_bind()
    active = sa.select(users).where(users.c.deactivated_at.is_(None)).order_by(users.c.id).limit(PEOPLE)
    last = 0
    while people := connection.execute(active.where(users.c.id > last)).all():
        connection.execute(
            sa.insert(words),
            [
                {"organization_id": person.organization_id, "user_id": person.id, "word": word, "of_name": of_name}
                for person in people
                for word, of_name in sorted(words_of_person(person.name, person.login).items())
            ],
        )
        last = people[-1].id
