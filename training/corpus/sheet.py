"""The contact sheet of a drawn corpus: a page that shows its first images with their labels.

A page and not a picture, which would be read as one more image of the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

SHOWN = 100

_STYLE = """body { background: #1c1c1e; color: #ddd; font: 11px/1.35 sans-serif; margin: 24px }
main { display: grid; gap: 10px; grid-template-columns: repeat(auto-fill, 128px) }
figure { margin: 0 } img { width: 128px; height: 128px; display: block }
figcaption { color: #999; padding-top: 3px }"""


def page(title: str, rows: Sequence[Mapping[str, str]]) -> bytes:
    """HTML for the first of the rows of labels.csv; the images lie beside it."""
    figures = "\n".join(_figure(row) for row in rows[:SHOWN])
    return (
        f'<!doctype html>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>\n<main>\n{figures}\n</main>\n"
    ).encode()


def _figure(row: Mapping[str, str]) -> str:
    labels = {escape(name): escape(value) for name, value in row.items() if name != "file"}
    named = ", ".join(f"{name} {value}" for name, value in labels.items())
    return (
        f'<figure><img src="{escape(row["file"], quote=True)}" alt="{named}">'
        f"<figcaption>{', '.join(labels.values())}</figcaption></figure>"
    )
