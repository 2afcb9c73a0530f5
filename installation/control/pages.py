"""Pages for a browser: their files, and what it is told of everything that is served to it."""

from __future__ import annotations

from importlib.resources.abc import Traversable

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws:; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

_KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


def page(folder: Traversable, name: str) -> dict[str, tuple[bytes, str]]:
    """A page, NAME.html, with its script and style: by path the bytes and their type."""
    return {
        "/" if end == "html" else f"/{name}.{end}": ((folder / f"{name}.{end}").read_bytes(), kind)
        for end, kind in _KINDS.items()
    }
