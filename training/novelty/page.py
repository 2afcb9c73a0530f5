"""The page that an artist shows to a curator: each sample beside what it is nearest to.

One file with its style in it, no script, nothing from the network. Titles and file names are
hostile until escaped: all text passes `_text`, and pictures have names of our own.
"""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import Any

from training.novelty.histogram import histogram
from training.novelty.verdict import MEMORISES, NEW, percent

ROWS = 40  # samples shown with all their neighbours; the rest with the nearest alone
_JOINERS = "\u200c\u200d"  # not seen themselves, within Persian and Indian words
_HEADLINES = {MEMORISES: "This piece memorises", NEW: "No sign of copying"}
_CLASSES = {MEMORISES: "memorises", NEW: "new"}
_POLICY = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"


def page(record: dict[str, Any]) -> str:
    """The whole page, of what novelty.json holds."""
    style = (resources.files("training.novelty") / "page.css").read_text("utf-8")
    title = _text(record["piece"]["title"])
    body = [_head(record), _how(record), _distribution(record), _closest(record)]
    body += [_attractors(record), _rest(record), _foot(record)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}: is it new?</title>\n<style>\n{style}</style></head>\n"
        f'<body class="{_CLASSES.get(record["verdict"], "unsure")}">\n'
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _head(record: dict[str, Any]) -> str:
    headline = _HEADLINES.get(record["verdict"], "It cannot be told")
    piece, data = record["piece"], record["dataset"]
    author = f" by {_text(piece['author'])}" if piece["author"] else ""
    warnings = "".join(f"<li>{_text(one)}</li>" for one in record["warnings"])
    return (
        f'<header><p class="over">{_text(piece["title"])}{author} · is it new?</p>'
        f"<h1>{headline}</h1>"
        f'<p class="lead">{_text(record["sentence"])}</p><p>{_text(record["repetition"])}</p>'
        f'<p class="note">{record["samples"]} pictures, drawn by chance, beside '
        f"{data['compared']} training images of {_text(data['name'])}.</p>"
        + (f'<ul class="warnings">{warnings}</ul>' if warnings else "")
        + "</header>"
    )


def _how(record: dict[str, Any]) -> str:
    reals = (
        f"{record['dataset']['held_out']} images of the dataset that were held out of its training"
        if record["baseline"] == "held out"
        else "the training images themselves, each compared with all the others"
    )
    return (
        "<section><h2>How to read this</h2><p>Every picture is compared with every training image, "
        "mirrored too, in two ways: by what it shows (features of a network trained on this "
        "dataset), and by its softened pixels. A distance counts in relation to the sixteen "
        "nearest images: <b>0</b> is the same picture, <b>1</b> is no nearer to one image than to "
        "others. The worse of the two ways decides, so both must agree before a picture is called "
        "close.</p>"
        f"<p>Real images can be alike as well. So the same is measured for {reals}, and a picture "
        "counts as a copy when it is as close as the closest 1 % of those (at least one). A "
        "few such pictures are chance; the piece memorises when there are more than chance "
        "gives (95 % sure).</p>"
        "<p>A figure finds copies of a whole image. It does not find a borrowed detail, a style "
        "or a likeness: for that, look at the pictures. And to be far from every image is no "
        "merit by itself: broken pictures are far, too.</p></section>"
    )


def _distribution(record: dict[str, Any]) -> str:
    copies = record["copies"]
    drawing = histogram(copies["scores"], copies["real_scores"], copies["threshold"])
    return (
        f"<section><h2>How close they come</h2>{drawing}"
        '<p class="key note"><span class="of-drawn"></span>what the piece draws'
        '<span class="of-real"></span>real images</p></section>'
    )


def _closest(record: dict[str, Any]) -> str:
    total = record["copies"]["expected"]["total"]
    rows = "".join(_row(sample, total) for sample in record["drawn"][:ROWS])
    return (
        "<section><h2>The closest first</h2>"
        '<p class="note">On the left, outlined, what the piece drew; then the training images that '
        f"it is nearest to, the nearest first.</p>{rows}</section>"
    )


def _row(sample: dict[str, Any], total: int) -> str:
    flag = '<b class="flag">As close as a copy.</b> ' if sample["copy"] else ""
    neighbours = "".join(_neighbour(one, total) for one in sample["neighbours"])
    return (
        f'<div class="row"><p>{flag}Picture {sample["sample"]}: {_rank(sample, total)}.</p>'
        f'<figure class="sample">{_image(sample, "what the piece drew")}'
        f"<figcaption><b>drawn</b><br>distance {sample['distance']:.2f}</figcaption></figure>"
        f"{neighbours}</div>"
    )


def _neighbour(one: dict[str, Any], total: int) -> str:
    lines = [f"<b><bdi>{_text(one['file'])}</bdi></b>" + (", mirrored" if one["mirrored"] else "")]
    rank = f", {_rank(one, total)}" if one["percentile"] > 0 else ""
    lines.append(f"distance {one['distance']:.2f}{rank}")
    said = [_text(one[key]) for key in ("author", "source", "licence") if one[key]]
    lines.append(" · ".join(said) or "author and licence not stated")
    picture, text = _image(one, "a training image"), "<br>".join(lines)
    return f"<figure>{picture}<figcaption>{text}</figcaption></figure>"


def _rank(one: dict[str, Any], total: int) -> str:
    """A percentile among few images would promise too much: then it is counted."""
    less = one["percentile"]
    if less >= 1:
        return f"closer than all {total} real images"
    if total < 200:
        return f"closer than {round(less * total)} of {total} real images"
    return f"closer than {percent(less)} of real images"


def _attractors(record: dict[str, Any]) -> str:
    beyond = [one for one in record["attractors"] if one["beyond_chance"]]
    if not beyond:
        return ""
    figures = "".join(
        f"<figure>{_image(one, 'a training image')}<figcaption><b><bdi>{_text(one['file'])}</bdi>"
        f"</b><br>nearest to {one['found']['count']} of {one['found']['total']} pictures "
        f"({percent(one['found']['rate'])}); to {percent(one['expected']['rate'])} of real images"
        "</figcaption></figure>"
        for one in beyond
    )
    return (
        "<section><h2>Images it keeps returning to</h2>"
        '<p class="note">Nearest to more of its pictures than to real images, beyond chance.</p>'
        f'<div class="row">{figures}</div></section>'
    )


def _rest(record: dict[str, Any]) -> str:
    rest = record["drawn"][ROWS:]
    if not rest:
        return ""
    pairs = "".join(
        f'<div class="pair">{_image(one, "what the piece drew")}'
        f"{_image(one['neighbours'][0], 'a training image')}"
        f"<p>{one['sample']}: {one['distance']:.2f}, "
        f"<bdi>{_text(one['neighbours'][0]['file'])}</bdi></p></div>"
        for one in rest
    )
    return (
        f"<section><h2>All the others</h2><details><summary>{len(rest)} more, each beside its "
        f'nearest training image</summary><div class="pairs">{pairs}</div></details></section>'
    )


def _foot(record: dict[str, Any]) -> str:
    return (
        f"<footer><p>Seed {record['seed']}, compared at {record['side']} pixels. Piece "
        f"{_text(record['piece']['sha256'][:16])}, encoder {_text(record['encoder'][:16])}. Every "
        "number is in novelty.json beside this page. The rule: distance relative to the "
        "neighbourhood after Carlini et al. (2023), intervals by Wilson (1927) and Newcombe "
        "(1998).</p></footer>"
    )


def _image(one: dict[str, Any], what: str) -> str:
    mirrored = ' class="mirrored"' if one.get("mirrored") else ""
    return f'<img src="{escape(one["image"])}" alt="{what}" loading="lazy"{mirrored}>'


def _text(value: object) -> str:
    """Any text as HTML shows it; what does not print is written out."""
    shown = (c if c.isprintable() or c in _JOINERS else repr(c)[1:-1] for c in str(value))
    return escape("".join(shown))
