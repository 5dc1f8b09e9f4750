"""What does the set say about itself? Its version, and of each file whether it is complete, a delta or absent."""

from dataclasses import dataclass
from enum import StrEnum

from jobs.roster import keyless
from jobs.roster.columns import (
    CLASSES,
    COURSES,
    ENROLLMENTS,
    ORGS,
    ROLES_1_2,
    USERS_1_1,
    USERS_1_2,
    Layout,
)
from jobs.roster.faults import Findings
from jobs.roster.files import MANIFEST, UNREADABLE, Files
from jobs.roster.headers import says
from jobs.roster.rows import TornFile, read_rows

VERSIONS = ("1.1", "1.2")
KEYLESS = "SDS v2.1"
PROMISED = ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments")
"""Files that the standard asks for: who announces one and leaves it out has sent a torn set."""


class Mode(StrEnum):
    BULK = "bulk"
    """The file is complete: what it does not list has ended."""
    DELTA = "delta"
    """The file lists what is new, what changed, and what ended. The rest stays as it is."""
    ABSENT = "absent"
    """The set says nothing of this: it stays as it is."""


@dataclass(frozen=True)
class Manifest:
    version: str
    modes: dict[str, Mode]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The files that are read, in this order."""
        if self.version == KEYLESS:
            return keyless.LAYOUTS
        people = (USERS_1_2, ROLES_1_2) if self.version == "1.2" else (USERS_1_1,)
        return (ORGS, *people, COURSES, CLASSES, ENROLLMENTS)

    def mode(self, table: str) -> Mode:
        """What a version has no file for is part of its users, and as complete as those."""
        return self.modes[table if any(layout.table == table for layout in self.layouts) else "users"]


def read_manifest(files: Files, findings: Findings) -> Manifest:
    """What the set says of itself, checked against the files that are there."""
    is_keyless = "roles.csv" in files and not says(files, "roles.csv", "sourcedId")
    said = {} if is_keyless and MANIFEST not in files else _properties(files, findings)
    manifest = Manifest(KEYLESS if is_keyless else _version(said, files, findings), {})
    needed = [layout.table for layout in manifest.layouts]
    for table in needed if is_keyless else dict.fromkeys((*needed, *PROMISED)):
        manifest.modes[table] = _mode(table, said.get(f"file.{table}"), files, findings)
    _nothing_is_missing(manifest, said, files, findings)
    if is_keyless:
        findings.note(f"roles.csv: its rows have no sourcedId, so the set is read as {KEYLESS}")
    read = {MANIFEST, *(f"{table}.csv" for table in needed)}
    for file in sorted(files.sizes.keys() - read - _KNOWN):
        findings.note(f"{file}: not a file of the standard, not read")
    return manifest


def _version(said: dict[str, str], files: Files, findings: Findings) -> str:
    told = said.get("oneroster.version")
    if told is None:
        return "1.2" if "roles.csv" in files else "1.1"
    version = ".".join(told.split(".")[:2])
    if version not in VERSIONS:
        reason = f'oneroster.version "{told[:40]}" is not known; known are {", ".join(VERSIONS)}'
        findings.fault(MANIFEST, None, "value", reason)
    return version


def _mode(table: str, said: str | None, files: Files, findings: Findings) -> Mode:
    if said is None or said not in tuple(Mode):
        if said is not None:
            reason = f'file.{table} is "{said[:40]}", not bulk, delta or absent'
            findings.fault(MANIFEST, None, "value", reason)
        return Mode.BULK if f"{table}.csv" in files else Mode.ABSENT
    return Mode(said)


def _nothing_is_missing(manifest: Manifest, said: dict[str, str], files: Files, findings: Findings) -> None:
    modes = manifest.modes
    needed = [layout.table for layout in manifest.layouts if layout is not COURSES]
    if manifest.version == KEYLESS:
        needed = list(keyless.NEEDED)
    is_whole = Mode.DELTA not in modes.values()
    for table, mode in modes.items():
        file = f"{table}.csv"
        announced = f"file.{table}" in said
        if mode is Mode.ABSENT:
            if table in needed and (is_whole or not announced):
                findings.fault(file, None, None, "is missing; without it the set is not complete")
                findings.damaged.add(table)
            elif manifest.version == KEYLESS and not announced:
                findings.note(f"{file}: not in the set; what is known of it stays")
            elif file in files and table != "academicSessions":
                findings.note(f"{file}: not read, because the manifest says that it is absent")
        elif file not in files and announced and table in PROMISED:
            findings.fault(file, None, None, f"is missing; the manifest says that it is there ({mode})")
            findings.damaged.add(table)


def _properties(files: Files, findings: Findings) -> dict[str, str]:
    """The manifest's properties and values, without those that say nothing."""
    said: dict[str, str] = {}
    if MANIFEST not in files:
        findings.fault(MANIFEST, None, None, "is missing; without it nobody knows which files are complete")
        return said
    try:
        with files.open(MANIFEST) as stream:
            found = read_rows(
                stream, lambda line, reason: findings.fault(MANIFEST, line, None, reason), lambda _: None
            )
            for line, row in found:
                if len(row) != 2:
                    findings.fault(MANIFEST, line, None, f"{len(row)} fields instead of 2")
                    continue
                name, value = (field.strip() for field in row)
                if name in said:
                    findings.fault(MANIFEST, line, "propertyName", f"{name[:40]} is there twice")
                elif value:
                    said[name] = value
    except TornFile:
        pass
    except UNREADABLE as error:
        findings.fault(MANIFEST, None, None, f"cannot be read: {error}")
    return said


_KNOWN = frozenset(
    f"{table}.csv"
    for table in (
        *("academicSessions", "assessmentLineItems", "assessmentResults", "categories", "classes"),
        *("classResources", "courseResources", "courses", "demographics", "enrollments"),
        *("lineItemLearningObjectiveIds", "lineItemScoreScales", "lineItems", "orgs", "resources"),
        *("resultLearningObjectiveIds", "resultScoreScales", "results", "roles", "scoreScales"),
        *("relationships", "userFlags", "userProfiles", "userResources", "users"),
    )
)
"""The files of the standard; those that are not about who is who at school are left alone without a word."""
