"""Has this person asked for exactly this before? A key is used once per person and mutation, for ever."""

import hashlib
import json
from typing import Any

from sqlalchemy import insert, select

from models.actor import Actor
from models.database import Transaction
from models.errors import Code, Refused
from models.tables.events import idempotency_keys
from models.text import name


class Once:
    """One use of an idempotency key, or of none.

    `before` is what the first call made, None for a new key; `made` keeps what this call made. Raises
    IDEMPOTENCY_CONFLICT when the key stands for another content.
    """

    def __init__(self, tx: Transaction, actor: Actor, mutation: str, key: str | None, content: Any) -> None:
        self.before: int | None = None
        self._tx, self._actor, self._mutation = tx, actor, mutation
        self._key = None if key is None else name("idempotencyKey", key)
        self._digest = hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()
        if self._key is not None:
            self._look_up()

    def _look_up(self) -> None:
        keys = idempotency_keys.c
        row = self._tx.execute(
            select(keys.digest, keys.subject).where(
                keys.user_id == self._actor.id, keys.mutation == self._mutation, keys.key == self._key
            )
        ).one_or_none()
        if row is None:
            return
        if row.digest != self._digest:
            raise Refused(Code.IDEMPOTENCY_CONFLICT, field="idempotencyKey")
        self.before = row.subject

    def made(self, subject: int) -> int:
        """Keeps what this call made, and returns it."""
        if self._key is not None:
            self._tx.execute(
                insert(idempotency_keys).values(
                    organization_id=self._actor.organization_id,
                    user_id=self._actor.id,
                    mutation=self._mutation,
                    key=self._key,
                    digest=self._digest,
                    subject=subject,
                    used_at=self._tx.now,
                )
            )
        return subject
