"""How does a file come in? By POST, as it is: looked at while it streams into the storage, and kept whole or not
at all."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import StreamReader, hdrs, web

from app.answers import encode
from app.http import HEADERS, preflight
from app.operations import Api
from app.storage import Storage, first_line
from models.actor import Actor, Viewer, actor
from models.attachments import (
    File,
    decide_upload,
    expect_file,
    file_name,
    forget_files,
    is_loose,
    keep_file,
)
from models.errors import Code, RateLimited, Refused, Unauthenticated, Unavailable, refuse
from models.file_types import HEAD, FalseType, ForbiddenType, true_type
from models.pictures import Bare
from schema.reasons import reason

SILENCE = 30.0
"""Seconds that a sender may be silent."""

LONGEST = 30 * 60.0
"""Seconds that a whole file may take."""

AT_ONCE = 4
"""Files of one person that come in together; others wait, and nothing of them is read."""

STATUS = {Code.INVALID_INPUT: 400, Code.TOO_LARGE: 413}
"""Of the refusals; 403 for all others."""

TEXTS = {
    "UNAUTHENTICATED": {"en": "Sign in: send a bearer token that is valid."},
    "BAD_REQUEST": {
        "en": "Send the file as it is, whole and without Content-Encoding.",
        "fr": "Envoyez le fichier tel quel, en entier et sans Content-Encoding.",
        "ru": "Отправьте файл как есть, целиком и без Content-Encoding.",
    },
    "EMPTY_FILE": {
        "en": "The file is empty.",
        "fr": "Le fichier est vide.",
        "ru": "Файл пуст.",
    },
    "FALSE_TYPE": {
        "en": "The file is not of the type that was given.",
        "fr": "Le fichier n'est pas du type indiqué.",
        "ru": "Содержимое файла не соответствует указанному типу.",
    },
    "FORBIDDEN_TYPE": {
        "en": "Programs cannot be attached.",
        "fr": "Les programmes ne peuvent pas être joints.",
        "ru": "Программы прикреплять нельзя.",
    },
    "TIMEOUT": {
        "en": "The file came too slowly.",
        "fr": "Le fichier est arrivé trop lentement.",
        "ru": "Файл передавался слишком медленно.",
    },
    "UNAVAILABLE": {
        "en": "The file cannot be stored now. Try again later.",
        "fr": "Le fichier ne peut pas être enregistré pour l'instant. Réessayez plus tard.",
        "ru": "Сейчас файл сохранить нельзя. Попробуйте позже.",
    },
    "INTERNAL": {
        "en": "The file could not be stored. Try again.",
        "fr": "Le fichier n'a pas pu être enregistré. Réessayez.",
        "ru": "Не удалось сохранить файл. Попробуйте ещё раз.",
    },
}

log = logging.getLogger(__name__)


class Unkept(Exception):
    """A file that is not kept: the status and the code that say why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Uploads:
    """POST /attachments?name=NAME. 201 with the id, or a refusal: `{"code": ..., "reason": ...}`."""

    def __init__(self, api: Api, storage: Storage) -> None:
        self._api = api
        self._storage = storage
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def respond(self, request: web.Request) -> web.Response:
        origin = request.headers.get(hdrs.ORIGIN)
        allowed = origin if origin in self._api.settings.origins else None
        if request.method == hdrs.METH_OPTIONS:
            return preflight(allowed, "POST, OPTIONS")
        answer = await self._take(request)
        if allowed:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
            answer.headers[hdrs.VARY] = "Origin"
        return answer

    async def _take(self, request: web.Request) -> web.Response:
        locale = "en"
        try:
            uploader = await self._uploader(request)
            locale = uploader.locale
            async with self._turn(uploader), asyncio.timeout(LONGEST):
                number = await self._keep(request, uploader)
            return _json(201, {"id": f"Attachment_{number}"})
        except Refused as refusal:
            said = {"code": refusal.code.value, "reason": reason(refusal.code, locale)}
            return _json(STATUS.get(refusal.code, 403), said)
        except Unkept as unkept:
            return _unkept(unkept, locale)
        except Unauthenticated:
            return _unkept(Unkept(401, "UNAUTHENTICATED"), locale)
        except RateLimited as fault:
            return _too_often(fault)
        except FalseType:
            return _unkept(Unkept(415, "FALSE_TYPE"), locale)
        except ForbiddenType:
            return _unkept(Unkept(415, "FORBIDDEN_TYPE"), locale)
        except (web.RequestPayloadError, ConnectionError):
            return _unkept(Unkept(400, "BAD_REQUEST"), locale)
        except TimeoutError:
            return _unkept(Unkept(408, "TIMEOUT"), locale)
        except Unavailable:
            return _unkept(Unkept(503, "UNAVAILABLE"), locale)
        except OSError as error:
            log.warning("The storage does not take a file: %s", first_line(error))
            return _unkept(Unkept(503, "UNAVAILABLE"), locale)
        except Exception:
            log.exception("An upload failed")
            return _unkept(Unkept(500, "INTERNAL"), locale)

    async def _uploader(self, request: web.Request) -> Actor:
        """Who sends it, with the rights of now. Raises Unauthenticated and RateLimited."""
        identity = await self._api.identify(request.headers.get(hdrs.AUTHORIZATION))
        if identity is None:
            self._api.rates.signed_out(self._api.proxies.client(request))
            raise Unauthenticated
        viewer = identity.viewer
        self._api.rates.upload(viewer.id)
        return await self._api.database.write(lambda tx: actor(tx, viewer), viewer.organization_id)

    def _turn(self, viewer: Viewer) -> asyncio.Semaphore:
        """So that nobody fills the memory with what is on its way to the storage."""
        return self._turns.setdefault(viewer.id, asyncio.Semaphore(AT_ONCE))

    async def _keep(self, request: web.Request, uploader: Actor) -> int:
        """The number of the new attachment."""
        name = file_name(request.query.get("name", ""))
        refuse(decide_upload(uploader))
        most = uploader.policy.most_attachment_bytes
        if hdrs.CONTENT_ENCODING in request.headers:
            raise Unkept(415, "BAD_REQUEST")
        if (request.content_length or 0) > most:
            raise Refused(Code.TOO_LARGE)
        coming = Coming(request.content, most=most)
        head = await coming.head()
        content_type = true_type(request.headers.get(hdrs.CONTENT_TYPE, ""), head)
        key = self._storage.new_key(uploader.organization_id)
        database = self._api.database
        await database.write(lambda tx: expect_file(tx, uploader, key), uploader.organization_id)
        try:
            await self._storage.write(key, coming.pieces(Bare(content_type)))
            file = File(key, name, content_type, coming.byte_size, coming.digest)
            return await database.write(lambda tx: keep_file(tx, uploader, file), uploader.organization_id)
        except BaseException:
            await self._leave_nothing(key)
            raise

    async def _leave_nothing(self, key: str) -> None:
        """Unless the file was kept, and only the sender has gone. What this cannot do, a night will."""
        database = self._api.database
        try:
            if await database.write(lambda tx: is_loose(tx, key)):
                await asyncio.to_thread(self._storage.remove, [key])
                await database.write(lambda tx: forget_files(tx, [key]))
        except (Unavailable, OSError):
            log.warning("The rest of an upload waits for the night")
        except Exception:
            log.exception("The rest of an upload waits for the night")


class Coming:
    """A file while it comes: held to its largest size; a picture without what it tells besides. `byte_size`
    and `digest` of what is kept are known when the pieces have been read."""

    def __init__(self, content: StreamReader, *, most: int) -> None:
        self.byte_size = 0
        self._come = 0
        self._content = content
        self._most = most
        self._sha256 = hashlib.sha256()
        self._head = b""

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()

    async def head(self) -> bytes:
        """The first bytes, as many as tell what it is. Raises Unkept for an empty file."""
        while len(self._head) < HEAD and (piece := await self._next()):
            self._head += piece
        if not self._head:
            raise Unkept(400, "EMPTY_FILE")
        return self._head[:HEAD]

    async def pieces(self, bare: Bare) -> AsyncIterator[bytes]:
        """All of it that is kept, the first bytes too."""
        yield self._kept(bare.feed(self._head))
        while piece := await self._next():
            yield self._kept(bare.feed(piece))
        yield self._kept(bare.end())

    async def _next(self) -> bytes:
        """What has come since; nothing at the end. Raises TOO_LARGE, and TimeoutError for a silent sender."""
        async with asyncio.timeout(SILENCE):
            piece = await self._content.readany()
        self._come += len(piece)
        if self._come > self._most:
            raise Refused(Code.TOO_LARGE)
        return piece

    def _kept(self, piece: bytes) -> bytes:
        self.byte_size += len(piece)
        self._sha256.update(piece)
        return piece


def _unkept(unkept: Unkept, locale: str) -> web.Response:
    texts = TEXTS[unkept.code]
    answer = _json(unkept.status, {"code": unkept.code, "reason": texts.get(locale, texts["en"])})
    if unkept.status == 401:
        answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return answer


def _too_often(fault: RateLimited) -> web.Response:
    """Not in the sender's language: who that is was not looked up."""
    answer = _json(429, {"code": fault.code, "reason": str(fault), **fault.more})
    answer.headers[hdrs.RETRY_AFTER] = str(fault.retry_after)
    return answer


def _json(status: int, body: dict[str, Any]) -> web.Response:
    headers = {**HEADERS, hdrs.CONTENT_TYPE: "application/json; charset=utf-8"}
    return web.Response(status=status, body=encode(body), headers=headers)
