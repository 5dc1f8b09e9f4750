"""Where do the built-in messenger's addresses lead? To small honest pages; and back, when a profile is linked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web
from sqlalchemy import Text, bindparam, select

from app.frame import note, redirect
from app.messenger.builtin import BuiltinMessenger, OwnSignIn
from app.settings import Settings
from models.database import Database
from models.links import ATTEMPT_LASTS
from models.messenger import ExternalMessenger
from models.prepared import Prepared
from models.tables.links import link_attempts

ROOM = "{token:[A-Za-z0-9_-]{22}}"
"""As the messenger makes them. Nothing is looked up: to a stranger every such address says the same."""

TEXTS = {
    "en": {
        "home": (
            "Messenger",
            "This school uses no messenger outside. Its chats and calls live in the school's own application: "
            "go back there and sign in.",
        ),
        "chat": (
            "A chat of the school",
            "You have followed the address of a chat. This school uses no messenger outside, so there is no room "
            "to enter here.",
            "Go back to the school's application and sign in: it shows the chat to those who take part in it.",
        ),
        "call": (
            "A call of the school",
            "You have followed the address of a call. This school uses no messenger outside, so there is no room "
            "to enter here.",
            "Go back to the school's application and sign in: it says when the call begins and where it is held.",
        ),
        "expired": (
            "This page is no longer valid",
            "Linking a profile takes ten minutes at most and works once. Go back to the school's application "
            "and begin again.",
        ),
    },
    "fr": {
        "home": (
            "Messagerie",
            "Cet établissement n'utilise pas de messagerie externe. Ses discussions et ses appels se trouvent "
            "dans son application : retournez-y et connectez-vous.",
        ),
        "chat": (
            "Une discussion de l'établissement",
            "Vous avez suivi l'adresse d'une discussion. Cet établissement n'utilise pas de messagerie externe : "
            "il n'y a donc pas de salle où entrer ici.",
            "Retournez à l'application de l'établissement et connectez-vous : elle montre la discussion à ceux "
            "qui y participent.",
        ),
        "call": (
            "Un appel de l'établissement",
            "Vous avez suivi l'adresse d'un appel. Cet établissement n'utilise pas de messagerie externe : "
            "il n'y a donc pas de salle où entrer ici.",
            "Retournez à l'application de l'établissement et connectez-vous : elle indique quand l'appel commence "
            "et où il se tient.",
        ),
        "expired": (
            "Cette page n'est plus valable",
            "Lier un profil prend dix minutes au plus et ne fonctionne qu'une fois. Retournez à l'application de "
            "l'établissement et recommencez.",
        ),
    },
    "ru": {
        "home": (
            "Мессенджер",
            "Эта школа не пользуется внешним мессенджером. Её чаты и звонки живут в приложении школы: вернитесь "
            "туда и войдите.",
        ),
        "chat": (
            "Чат школы",
            "Вы перешли по адресу чата. Эта школа не пользуется внешним мессенджером, поэтому войти здесь некуда.",
            "Вернитесь в приложение школы и войдите: оно показывает чат тем, кто в нём участвует.",
        ),
        "call": (
            "Звонок школы",
            "Вы перешли по адресу звонка. Эта школа не пользуется внешним мессенджером, поэтому войти здесь "
            "некуда.",
            "Вернитесь в приложение школы и войдите: там сказано, когда звонок начнётся и где он пройдёт.",
        ),
        "expired": (
            "Эта страница больше не действует",
            "Привязка профиля занимает не больше десяти минут и выполняется один раз. Вернитесь в приложение "
            "школы и начните снова.",
        ),
    },
}


def routes(settings: Settings, database: Database, messenger: ExternalMessenger) -> list[web.RouteDef]:
    """Below /messenger. The server's own sign-in is there where no provider outside is used and `signs_in_itself`
    says so."""
    shown = []
    if isinstance(messenger, BuiltinMessenger):
        shown += [
            web.get("/messenger", _says("home")),
            web.get(f"/messenger/chats/{ROOM}", _says("chat")),
            web.get(f"/messenger/calls/{ROOM}", _says("call")),
        ]
    if isinstance(messenger.sign_in, OwnSignIn) and settings.signs_in_itself:
        own = _Provider(settings, database, messenger.sign_in)
        shown.append(web.get("/messenger/authorize", own.authorize))
    return shown


@dataclass(frozen=True)
class _Provider:
    """Signs in at once, as the one account that each person has with it."""

    settings: Settings
    database: Database
    sign_in: OwnSignIn

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """`?state=...`: back with a code for the account of who began. In development `?account=` names another
        account, to try what happens when it is taken."""
        state = request.query.get("state", "")
        user_id = await self._who_began(state)
        if user_id is None:
            return _say("expired", request, status=400)
        account = f"person-{user_id}"
        if self.settings.in_development:
            account = request.query.get("account") or account
        code = self.sign_in.code(account)
        return redirect(_with(self.settings.link_return_url or "/", code=code, state=state))

    async def _who_began(self, state: str) -> int | None:
        found = [] if "\0" in state else await _BEGAN.read(self.database, state=state)
        earliest = self.database.clock() - ATTEMPT_LASTS
        return next((user_id for user_id, begun_at in found if _moment(begun_at) > earliest), None)


_BEGAN = Prepared(
    select(link_attempts.c.user_id, link_attempts.c.begun_at).where(
        link_attempts.c.state == bindparam("state", type_=Text), link_attempts.c.used_at.is_(None)
    )
)


def _moment(kept: Any) -> datetime:
    """As the engine keeps it: a text, or a moment."""
    return datetime.fromisoformat(kept) if isinstance(kept, str) else kept


def _says(subject: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return _say(subject, request)

    return answer


def _say(subject: str, request: web.Request, *, status: int = 200) -> web.Response:
    language = _language(request.headers.get("Accept-Language", ""))
    title, *paragraphs = TEXTS[language][subject]
    return note(title, *paragraphs, status=status, language=language)


def _language(accepted: str) -> str:
    """The one of ours that the browser would rather have (RFC 9110, 12.5.4); English when it wants none."""
    weights = {}
    for each in reversed(accepted.lower().split(",")):
        tag, _, weight = each.replace(" ", "").partition(";q=")
        weights[tag.partition("-")[0]] = weight or "1"
    wanted = {tag: weight for tag, weight in weights.items() if tag in TEXTS and weight.strip("0.")}
    return max(reversed(wanted), key=lambda tag: wanted[tag], default="en")


def _with(address: str, **query: str) -> str:
    """The address with these in its query, beside what stands there."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query))))))
