"""Which column is meant? Headers as the standard writes them, in another case, or misspelt as others have been.

Somebody's export program writes the header once and for all, so a set with a slip in it would never come in.
"""

import re
from collections.abc import Iterable, Sequence

from jobs.roster.columns import Layout
from jobs.roster.faults import Findings
from jobs.roster.files import UNREADABLE, Files
from jobs.roster.rows import TornFile, read_rows

_SIGNS = re.compile(r"[^\w.]|_")
_SOURCED = re.compile(r"(source|soruced|sourcd|souced|sourcded|sorced)id")
_WHOLE = {
    "calsstype": "classtype",
    "clastype": "classtype",
    "enabled": "enableduser",
    "enableuser": "enableduser",
    "famillyname": "familyname",
    "familiyname": "familyname",
    "givename": "givenname",
    "givennname": "givenname",
    "parentorgsourcedid": "parentsourcedid",
    "tittle": "title",
    "usename": "username",
    "userenabled": "enableduser",
}
"""Misspellings that are met, by what they stand for, both without case and signs."""


def understood(layout: Layout, header: Sequence[str], findings: Findings) -> list[str]:
    """The header with the standard's names, where what stands there can only be meant for one of them.

    Each is noted. A column that is there as it should be is not looked for under other names.
    """
    known = _by_key({column.header for column in layout.columns} | layout.unread)
    here = set(header)
    found = []
    for name in header:
        meant = known.get(_key(name), name)
        if meant != name and meant not in here:
            if meant not in layout.unread:
                findings.note(f'{layout.file}: column "{name[:40]}" is read as "{meant}"')
            found.append(meant)
        else:
            found.append(name)
    return found


def says(files: Files, file: str, name: str) -> bool:
    """Whether this column is in the header of the file, however it is spelt. A file that cannot be read is said
    to have every column: whoever reads it finds out."""
    try:
        with files.open(file) as stream:
            for _, header in read_rows(stream, lambda *_: None, lambda _: None):
                return _key(name) in map(_key, header)
    except (TornFile, *UNREADABLE):
        pass
    return True


def _by_key(names: Iterable[str]) -> dict[str, str]:
    return {_key(name): name for name in names}


def _key(name: str) -> str:
    """What a name is without case, signs, and the mark of the plural."""
    plain = _SOURCED.sub("sourcedid", _SIGNS.sub("", name.casefold()))
    return _WHOLE.get(plain, plain).removesuffix("s")
