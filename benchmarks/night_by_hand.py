"""What is the least that a night costs? The set difference of each school, written by hand.

    python -m benchmarks.night_by_hand PATH YYYY-MM-DD

Wanted and current as sets, only differences written, one durable transaction per school that runs once per date:
the promises of the night, without its other work (calls, commands, uploads) and without any of its code.
"""

import json
import sqlite3
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

KINDS = (
    ("TEACHERS", "ORGANIZATION", "'TEACHER', 'STAFF', 'ADMINISTRATOR'", "ADMINISTRATOR"),
    ("GROUP", "CLASS", "'CURATOR', 'LEARNER'", "CURATOR"),
    ("PARENTS", "CLASS", "'CURATOR', 'GUARDIAN'", "CURATOR"),
)
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

WANTED = """
SELECT m.group_id, m.user_id, max(m.position = ?2)
FROM groups g JOIN memberships m ON m.group_id = g.id JOIN users u ON u.id = m.user_id
WHERE g.organization_id = ?1 AND g.kind = ?3 AND g.ended_at IS NULL
    AND m.until IS NULL AND m.position IN ({positions}) AND u.deactivated_at IS NULL
GROUP BY m.group_id, m.user_id
"""
CURRENT = """
SELECT c.group_id, p.user_id, p.is_administrator
FROM chats c JOIN participations p ON p.room_id = c.id
WHERE c.organization_id = ? AND c.kind = ? AND c.ended_at IS NULL AND p.left_at IS NULL
"""
CHATS = "SELECT group_id, id FROM chats WHERE organization_id = ? AND kind = ? AND ended_at IS NULL"
HAS_RUN = "SELECT 1 FROM job_runs WHERE organization_id = ? AND job = 'nightly' AND local_date = ?"
RAN = "INSERT INTO job_runs VALUES (?, 'nightly', ?, ?, ?, '{}')"
NUMBER = "UPDATE organizations SET last_event = last_event + 1 WHERE id = ? RETURNING last_event"
EVENT = "INSERT INTO events (organization_id, number, kind, chat_id, at) VALUES (?, ?, 'CHAT_CHANGED', ?, ?)"
LEAVE = """
UPDATE participations SET left_at = ?, left_event = ? WHERE room_id = ? AND user_id = ? AND left_at IS NULL
"""
JOIN = """
INSERT INTO participations (
    organization_id, room_id, user_id, is_administrator, is_linked, joined_at, joined_event)
VALUES (?1, ?2, ?3, ?4, EXISTS (
    SELECT 1 FROM profile_links WHERE user_id = ?3 AND unlinked_at IS NULL), ?5, ?6)
"""


def run(path: str, local_date: str) -> int:
    """How many people came into a chat or left one."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    moved = 0
    for (school,) in connection.execute("SELECT id FROM organizations ORDER BY id").fetchall():
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute(HAS_RUN, (school, local_date)).fetchone() is None:
            now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
            for kind, group_kind, positions, administrator in KINDS:
                asked = (school, administrator, group_kind)
                wanted = set(connection.execute(WANTED.format(positions=positions), asked))
                current = set(connection.execute(CURRENT, (school, kind)))
                if wanted != current:
                    moved += _write(connection, school, kind, now, wanted - current, current - wanted)
            connection.execute(RAN, (school, local_date, now, now))
        connection.execute("COMMIT")
    return moved


def most_memory() -> float:
    """What this process has held at most, in megabytes; of the one that started it nothing."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _write(
    connection: sqlite3.Connection,
    school: int,
    kind: str,
    now: str,
    coming: set[tuple[int, int, int]],
    going: set[tuple[int, int, int]],
) -> int:
    rooms = dict(connection.execute(CHATS, (school, kind)).fetchall())
    joining, leaving = defaultdict(list), defaultdict(list)
    for group, user, role in coming:
        joining[group].append((user, role))
    for group, user, _ in going:
        leaving[group].append(user)
    for group in sorted(joining.keys() | leaving.keys()):
        room = rooms[group]
        ((event,),) = connection.execute(NUMBER, (school,)).fetchall()
        connection.execute(EVENT, (school, event, room, now))
        connection.executemany(LEAVE, [(now, event, room, user) for user in leaving[group]])
        connection.executemany(JOIN, [(school, room, user, role, now, event) for user, role in joining[group]])
    return len(coming) + len(going)


def main() -> None:
    began, used = time.perf_counter(), time.process_time()
    moved = run(sys.argv[1], sys.argv[2])
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "megabytes": most_memory(),
        "moved": moved,
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
