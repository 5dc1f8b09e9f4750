"""Who may see, do and hear what? The rules of every field, mutation and event as a page for readers."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from models.authorization.events import HEARD_BY
from models.authorization.people import HAS_DONE_IT, IS_ONESELF
from models.authorization.rule import EVERYBODY, Kind, Relation, Rule
from models.authorization.tried import KNOBS, PRESET
from models.errors import Code
from models.tables.events import EventKind
from models.tables.people import Position
from resolvers.projection import PROJECTIONS
from resolvers.streams import STREAMS
from schema import schema
from schema.authorization import mutation_rules

INTRODUCTION = """\
# Who may see, do and hear what

Every type, field, mutation and event of the API names a rule, or the program does not start. The rules are in
`models/authorization/`; this page is printed from them: `python -m app authorization`.

The tables are closed: whatever they do not allow is denied. For who does not see a thing it does not exist: he is
answered as for an id that was never given, in the same words and by the same statement (`NOT_FOUND`, `null`, a
list without it; `OUT_OF_REACH` where he wanted to write to somebody). Who sees it and may not is told why.

Tests try every case of every table through the API, as somebody at each position in each relation, and look for
traces; and take every right away again, while he listens. What `viewerActions` offers is what the tables allow,
but for what has been done already: to do that again is no mistake.

There is a table for each kind of thing. A row says what may be seen, done or heard: a type with its plain fields,
a field with a rule of its own, a mutation, a subscription. A column is a way in which a person may stand to the
thing. A cell names the positions in the organization for which it is allowed; these are
{positions}.

| in a cell | it means |
|---|---|
| all | allowed, whatever the position |
| `TEACHER` | allowed for those at this position, denied to all others |
| - | denied: the thing does not exist for them |
| *`NOT_ALLOWED`* | denied, and told so with this code |

Somebody at several positions may do what each of them may. Who is signed out, or has left the school, is answered
`UNAUTHENTICATED` by everything, and his sockets are closed.

Where a knob of the policy matters, the rule says so. The tables hold, and are tried, in a school with the preset
`{preset}` and these knobs:

```
{knobs}
```

Only `deleteMessages` is tried with `messageDeletion=FOR_ME`.
"""

_POSITIONS = ", ".join(f"`{position}`" for position in EVERYBODY)


def page_lines() -> Iterator[str]:
    """The page in Markdown, line by line."""
    subjects = list(_subjects())
    yield from INTRODUCTION.format(positions=_POSITIONS, preset=PRESET, knobs=_knobs()).splitlines()
    yield from ("", "## Relations", "", "| relation | the person |", "|---|---|")
    for relation in Relation:
        yield f"| {_words(relation)} | {relation.value} |"
    for kind in Kind:
        yield from _table(kind, subjects)
    yield from _events()
    yield from _in_words(subjects)


class Subject(NamedTuple):
    """What carries a rule: a type, a field with one of its own, a mutation, or a subscription."""

    verb: str
    name: str
    rule: Rule


def _subjects() -> Iterator[Subject]:
    heard = {stream.target for stream in STREAMS.values()}
    for name, projection in PROJECTIONS.items():
        verb = "hear" if name in heard else "see"
        if projection.seen_by is not HAS_DONE_IT:
            yield Subject(verb, name, projection.seen_by)
        for field, entry in projection.entries.items():
            is_plain = entry.seen_by in (None, projection.seen_by)
            if entry.seen_by is not None and not is_plain and not _is_everywhere(name, entry.seen_by):
                yield Subject(verb, f"{name}.{field}", entry.seen_by)
    for name, rule in mutation_rules(schema._schema).items():
        yield Subject("do", name, rule)
    for name, stream in STREAMS.items():
        yield Subject("hear", name, stream.heard_by)


def _is_everywhere(name: str, rule: Rule) -> bool:
    """The badges and the viewer himself, in what a mutation answers."""
    return name.endswith("Payload") and rule is IS_ONESELF


def _table(kind: Kind, subjects: Sequence[Subject]) -> Iterator[str]:
    """A row for all that have the same cells."""
    rows: dict[tuple[str, str], list[str]] = {}
    for verb in ("see", "do", "hear"):
        for subject in subjects:
            if subject.verb == verb and kind in subject.rule.kinds:
                cells = " | ".join(_cell(subject.rule, kind, relation) for relation in kind.relations)
                rows.setdefault((verb, cells), []).append(f"`{subject.name}`")
    yield from ("", f"## {kind.called}", "")
    yield "| | | " + " | ".join(map(_words, kind.relations)) + " |"
    yield "|---|---|" + "---|" * len(kind.relations)
    for (verb, cells), names in rows.items():
        yield f"| {verb} | {'<br>'.join(names)} | {cells} |"


def _cell(rule: Rule, kind: Kind, relation: Relation) -> str:
    """For whom it is allowed, and what the others are told."""
    verdicts = [(_verdict(rule, kind, relation, position), position) for position in EVERYBODY]
    by_verdict = {
        verdict: [position for _, position in cases]
        for verdict, cases in groupby(sorted(verdicts, key=lambda it: it[0]), key=lambda it: it[0])
    }
    if len(by_verdict) == 1:
        return next(iter(by_verdict)) or "all"
    least, *others = sorted(by_verdict, key=lambda verdict: (-len(by_verdict[verdict]), verdict))
    some = "; ".join(_for(by_verdict[verdict], verdict) for verdict in others)
    return some if least == "-" else f"{some}; others {least or 'allowed'}"


def _verdict(rule: Rule, kind: Kind, relation: Relation, position: Position) -> str:
    """Empty where it is allowed."""
    if rule.allows(kind, relation, position):
        return ""
    code: Code | None = rule.told(kind, relation, position)
    return "-" if code is None else f"*`{code}`*"


def _for(positions: list[Position], verdict: str) -> str:
    names = ", ".join(f"`{position}`" for position in positions)
    return f"{names}: {verdict}" if verdict else names


def _events() -> Iterator[str]:
    yield from ("", "## Events", "")
    yield "What is shown of an event follows the rights of now, also when it is replayed. After each,"
    yield "`badgesChanged` tells those whose counts differ."
    yield from ("", "| event | told by | to whom |", "|---|---|---|")
    for kind, rule in HEARD_BY.items():
        told = ", ".join(f"`{name}`" for name, stream in STREAMS.items() if kind in stream.kinds)
        yield f"| `{kind}` | {told or _UNTOLD[kind]} | {rule.sentence} |"


_UNTOLD = {
    EventKind.CHATS_SEEN: "`badgesChanged`",
    EventKind.PERSON_CHANGED: "the end of what somebody listens to who has left",
}


def _in_words(subjects: Sequence[Subject]) -> Iterator[str]:
    yield from ("", "## The rules in words", "", "| rule | of |", "|---|---|")
    named: dict[str, list[str]] = {}
    for subject in subjects:
        named.setdefault(subject.rule.sentence, []).append(f"`{subject.name}`")
    for sentence, names in named.items():
        yield f"| {sentence} | {', '.join(names)} |"
    yield f"| {HAS_DONE_IT.sentence} | what mutations answer |"


def _words(relation: Relation) -> str:
    return relation.name.lower().replace("_", " ")


def _knobs() -> str:
    def value(knob: object) -> str:
        if isinstance(knob, bool):
            return str(knob).lower()
        return f"[{', '.join(map(str, knob))}]" if isinstance(knob, list) else str(knob)

    return "\n".join(f"{name}={value(knob)}" for name, knob in KNOBS.items())
