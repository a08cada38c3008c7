"""The page and its files: ES modules and style sheets; the explorer and its style are those of the one-file report."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from retrieval.report.html.script import FOLDER as EXPLORER
from retrieval.service.guard import OPERATION
from retrieval.service.problem import Problem

#: The files of the page, and the style sheets of the report.
FILES = Path(__file__).parent / "files"
STYLE = EXPLORER.parent / "style"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


def page_files() -> dict[str, Path]:
    """Return the files of the page by their paths below ``/page/``; a request can name no other."""
    files = {
        path.relative_to(FILES).as_posix(): path for path in sorted(FILES.rglob("*")) if path.suffix in MEDIA_TYPES
    }
    explorer = {f"explorer/{path.name}": path for path in sorted(EXPLORER.glob("*.js"))}
    style = {f"style/{path.name}": path for path in sorted(STYLE.glob("*.css"))}
    return {**files, **explorer, **style}


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    files = page_files()

    async def page(request: Request) -> Response:
        request.scope[OPERATION] = "page"
        name = request.path_params.get("name", "index.html")
        if name not in files:
            raise Problem(404, f"the page has no file '{name[:100]}'")
        path = files[name]
        return Response(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix])

    return [Route("/", page), Route("/page/{name:path}", page)]
