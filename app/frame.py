"""How does a page leave the server? Filled in, and with headers that let nothing else in."""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web

HERE = Path(__file__).parent / "graphiql"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
ONLY_OURS = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(file: str, *, allows: str = "", status: int = 200, language: str = "en", **markup: str) -> web.Response:
    """A page of ours. `allows`: what its policy allows beyond our own styles and images; `markup`: what goes
    into its places, escaped already."""
    return web.Response(
        status=status,
        text=_template(file).substitute(markup, language=language),
        content_type="text/html",
        charset="utf-8",
        headers={
            **HEADERS,
            "Content-Security-Policy": "; ".join(filter(None, (ONLY_OURS, allows))),
            "Content-Language": language,
        },
    )


def note(title: str, *paragraphs: str, status: int = 200, language: str = "en") -> web.Response:
    """A page with a few sentences; what stands in backquotes is code."""
    lines = "\n".join(f"      <p>{_with_code(escape(paragraph))}</p>" for paragraph in paragraphs)
    return page("note.html", status=status, language=language, title=escape(title), paragraphs=lines)


def redirect(address: str) -> web.Response:
    return web.Response(status=302, headers={**HEADERS, "Location": address})


def file(path: Path) -> web.FileResponse:
    """A file as it is; the browser asks again each time whether it has changed."""
    kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.suffix]
    headers = {**HEADERS, "Cache-Control": "no-cache", "Content-Type": f"{kind}; charset=utf-8"}
    return web.FileResponse(path, headers=headers)


async def own_file(request: web.Request) -> web.StreamResponse:
    """What every page of ours uses, in production as well."""
    name = request.match_info["file"]
    if name not in ("page.css", "icon.svg"):
        raise web.HTTPNotFound
    return file(HERE / name)


@cache
def _template(file: str) -> Template:
    return Template((HERE / file).read_text(encoding="utf-8"))


def _with_code(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", text)
