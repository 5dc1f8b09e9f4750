"""Which pages does the server show? The messenger's; in development, GraphiQL and whom to open it as."""

import asyncio
import json
import re
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from itertools import groupby
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from sqlalchemy import Text, bindparam, select

from app import messenger_pages
from app.auth import Tokens
from app.demo import Person, demo_people
from app.frame import HERE, file, note, own_file, page, redirect
from app.settings import Settings
from models.database import Database
from models.prepared import Prepared
from models.tables.links import link_attempts
from models.tables.people import Position

_BEGAN = Prepared(select(link_attempts.c.user_id).where(link_attempts.c.state == bindparam("state", type_=Text)))

PACKAGES = HERE / "node_modules"
FILES = {
    "react.js": PACKAGES / "react/umd/react.production.min.js",
    "react-dom.js": PACKAGES / "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": PACKAGES / "graphiql/graphiql.min.js",
    "graphiql.css": PACKAGES / "graphiql/graphiql.min.css",
    "explorer.js": PACKAGES / "@graphiql/plugin-explorer/dist/index.umd.js",
    "explorer.css": PACKAGES / "@graphiql/plugin-explorer/dist/style.css",
    "start.js": HERE / "start.js",
    "bar.css": HERE / "bar.css",
}
"""All that is served below /graphiql/. What else npm brings stays where it is."""

SCROLL_LOCK = "'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='"
"""The one style element that this version of GraphiQL adds by itself, while a dialog is open."""

POSITIONS = {
    Position.OWNER: "Owners",
    Position.ADMINISTRATOR: "Administrators",
    Position.CURATOR: "Curators",
    Position.TEACHER: "Teachers",
    Position.EXPERT: "Experts",
    Position.STAFF: "Staff",
    Position.GUARDIAN: "Guardians",
    Position.LEARNER: "Learners",
}


def routes(settings: Settings, database: Database, tokens: Tokens) -> list[web.RouteDef]:
    """For the application that has the API. In production there is neither GraphiQL nor a demo person."""
    shown = [web.get("/pages/{file}", own_file)]
    shown += messenger_pages.routes(settings, database, database.messenger)
    if settings.in_development:
        pages = _Pages(settings, database, tokens)
        shown += [
            web.get("/", pages.people),
            web.get("/graphiql", pages.graphiql),
            web.get("/graphiql/{file}", _graphiql_file),
        ]
    return shown


@dataclass(frozen=True)
class _Pages:
    """The pages that sign a browser in as a demo person."""

    settings: Settings
    database: Database
    tokens: Tokens

    async def people(self, request: web.Request) -> web.StreamResponse:
        """`/`: whom to be. With `?code&state` the messenger has sent the browser back: on to who went there."""
        if (instead := self._instead(request)) is not None:
            return instead
        if {"code", "state"} <= request.query.keys():
            return await self._back(request.query["code"], request.query["state"])
        return page(
            "people.html",
            schools=_schools(await self._demo_people()),
            graphql=escape(f"{self.settings.address}/graphql"),
        )

    async def graphiql(self, request: web.Request) -> web.StreamResponse:
        """`/graphiql?as=NUMBER`: signed in as that demo person. Without `as`: with a token of one's own."""
        if (instead := self._instead(request)) is not None:
            return instead
        number = request.query.get("as")
        person = next((each for each in await self._demo_people() if str(each.viewer.id) == number), None)
        if number is not None and person is None:
            return note("Nobody of that number", "No demo person has it. Begin again at `/`.", status=404)
        opened = {
            "token": person and self.tokens.issue(person.viewer, now=self.database.clock()),
            "operations": _operations(person, links="code" in request.query),
            "link": {name: request.query.get(name, "") for name in ("code", "state")},
        }
        return page(
            "graphiql.html",
            allows=(
                f"script-src 'self'; style-src-elem 'self' {SCROLL_LOCK}; font-src data:; "
                f"connect-src 'self' ws://{request.host} wss://{request.host}"
            ),
            title=escape(f"{person.name} · Préau" if person else "Préau"),
            person=_named(person) if person else "Signed out: put a token into the tab Headers.",
            opened=json.dumps(opened).replace("<", "\\u003c"),
        )

    def _instead(self, request: web.Request) -> web.Response | None:
        """What is shown where the page cannot be: these pages give tokens, so another site that has made its
        name point at this machine gets none."""
        if not self._is_for_us(request.host):
            return note("Not under this name", f"Open `{self.settings.address}` instead.", status=421)
        if not all(path.exists() for path in FILES.values()):
            return note(
                "GraphiQL is not installed",
                "Its files come with Node's npm. Install npm, run `make setup`, and load this page again.",
                f"The API works without it: `{self.settings.address}/graphql`, with a token that "
                "`python -m app token LOGIN` prints.",
            )
        return None

    def _is_for_us(self, host: str) -> bool:
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?", host):
            return False
        name = re.sub(r":\d+$", "", host).strip("[]")
        return name in ("localhost", urlsplit(self.settings.address).hostname) or _is_loopback(name)

    async def _demo_people(self) -> list[Person]:
        return await asyncio.to_thread(demo_people, self.database)

    async def _back(self, code: str, state: str) -> web.Response:
        began = [] if "\0" in state else await _BEGAN.read(self.database, state=state)
        known = {person.viewer.id for person in await self._demo_people()}
        query = {"code": code, "state": state}
        if began and began[0][0] in known:
            query["as"] = str(began[0][0])
        return redirect(f"/graphiql?{urlencode(query)}")


async def _graphiql_file(request: web.Request) -> web.StreamResponse:
    path = FILES.get(request.match_info["file"])
    if path is None or not path.exists():
        raise web.HTTPNotFound
    return file(path)


def _operations(person: Person | None, *, links: bool) -> list[dict[str, str]]:
    """The tabs: what this person is likely to try, in the order of the story."""
    names = ["chats_page", "create_call", "publish_call", "badges", "mark_chats_seen"]
    if links:
        names.insert(0, "complete_profile_link")
    elif person is not None and not person.is_linked:
        names.insert(1, "begin_profile_link")
    return [_operation(name) for name in names]


def _operation(name: str) -> dict[str, str]:
    text = (HERE / "operations" / f"{name}.graphql").read_text(encoding="utf-8")
    return {"name": re.findall(r"^(?:query|mutation|subscription) (\w+)", text, re.MULTILINE)[0], "query": text}


def _named(person: Person) -> str:
    """A line of HTML that says who is signed in."""
    said = (person.position.capitalize(), person.organization, person.login)
    return f"<strong>{escape(person.name)}</strong> · {escape(' · '.join(said))}"


def _schools(people: list[Person]) -> str:
    """The HTML of the list, as the people come: school by school, position by position."""
    if not people:
        return '      <p class="hint">No demo school is here: <code>python -m app demo</code> brings two.</p>'
    lines = []
    for school, of_school in groupby(people, key=lambda person: person.organization):
        lines.append(f"      <section>\n        <h2>{escape(school)}</h2>")
        for position, at_position in groupby(of_school, key=lambda person: person.position):
            lines.append(f'        <div class="position"><h3>{POSITIONS[position]}</h3><ul class="people">')
            lines += map(_card, at_position)
            lines.append("        </ul></div>")
        lines.append("      </section>")
    return "\n".join(lines)


def _card(person: Person) -> str:
    link = (
        '<span class="link">linked</span>' if person.is_linked else '<span class="link missing">not linked</span>'
    )
    return (
        f'          <li><a class="person" href="/graphiql?as={person.viewer.id}">'
        f'<strong>{escape(person.name)}</strong> <span class="login">{escape(person.login)}</span> {link}</a></li>'
    )


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
