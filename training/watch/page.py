"""index.html: what a training looks like now, for a browser beside it. It needs no network, and
reads itself anew while the training runs."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.watch.chart import chart
from training.watch.verdict import Verdict

NAME = "index.html"


@dataclass(frozen=True)
class View:
    """What the page shows. pictures: file name -> what it is, the grid first; absent files are left
    out. refresh: seconds between readings, None when the training is over."""

    title: str
    records: Sequence[Mapping[str, float]]
    standing: Sequence[Verdict]
    said: Sequence[Mapping[str, Any]]
    pictures: Mapping[str, str]
    refresh: int | None
    written: float = field(default_factory=time.time)


def page(view: View, folder: Path) -> str:
    """The whole page. folder: where it will lie, beside the pictures."""
    grid, *others = [_picture(folder / name, text) for name, text in view.pictures.items()]
    parts = [
        f"<h1>{html.escape(view.title)}</h1>",
        grid or f"<p class=faint>The first pictures come in {view.refresh or 0} seconds.</p>",
        _sentences(view.standing),
        _progress(view.records[-1] if view.records else {}, view.refresh is None),
        *others,
        _earlier(view.said),
        _charts(view.records),
    ]
    return _SHELL.format(
        title=html.escape(view.title),
        refresh=f'<meta http-equiv="refresh" content="{view.refresh}">' if view.refresh else "",
        style=_STYLE,
        body="\n".join(part for part in parts if part),
        script=_STALE % (view.written, 4 * view.refresh + 120) if view.refresh else "",
    )


def _picture(path: Path, text: str) -> str:
    """An image or film, its address changed with the file so that no browser shows an older one."""
    try:
        changed = path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return ""
    source = f"{html.escape(path.name)}?{changed}"
    caption = f"<figcaption>{html.escape(text)}</figcaption>" if text else ""
    if path.suffix == ".mp4":
        shown = f'<video src="{source}" poster="latest.png" controls loop></video>'
    else:
        shown = f'<img src="{source}" alt="{html.escape(text)}">'
    return f"<figure>{caption}{shown}</figure>"


def _sentences(standing: Sequence[Verdict]) -> str:
    if not standing:
        return "<p class=faint>Nothing to worry about so far.</p>"
    items = "".join(f"<li>{html.escape(_sentence(v.sentence))}</li>" for v in standing)
    return f"<ul class=says>{items}</ul>"


def _progress(now: Mapping[str, float], over: bool) -> str:
    spent = min(1.0, now.get("spent", 0.0))
    words = [f"{now.get('kimg', 0):.1f} kimg"]
    if "images_per_second" in now:
        words.append(f"{now['images_per_second']:.0f} images/s")
    if over:
        words.append("ended")
    elif "seconds_left" in now:
        words.append(f"{_duration(now['seconds_left'])} left")
    if "diversity" in now:
        words.append(f"variety {now['diversity']:.0%} of your images'")
    if "fd" in now:
        words.append(f"FD {now['fd']:.4g}")
    bar = f"<progress value={spent:.4f}></progress>"
    return f"<p>{bar} {spent:.0%} · {' · '.join(words)}</p>"


def _earlier(said: Sequence[Mapping[str, Any]]) -> str:
    """Everything that was said, newest first."""
    lines = [
        f"<li>{line['kimg']:.1f} kimg: {html.escape(_sentence(line['said']))}</li>"
        for line in reversed(said[-50:])
    ]
    return f"<h2>What was said</h2><ul class=faint>{''.join(lines)}</ul>" if lines else ""


def _charts(records: Sequence[Mapping[str, float]]) -> str:
    known = {key for record in records for key in record}
    codes = sorted(key for key in known if key.startswith("mi_"))
    charts = [
        chart("FD (less is better)", records, ["fd"]),
        chart("variety, of the images' own", records, ["diversity"]),
        chart("logits", records, ["real_logit", "val_logit", "fake_logit"]),
        chart("augmentation", records, ["augment"]),
        chart("what the codes tell, nats", records, codes[:4]),
        chart("losses", records, ["discriminator", "generator"]),
        chart("gradient penalty", records, ["penalty"]),
        chart("off the guide", records, ["guide"]),
    ]
    drawn = "".join(charts)
    return f"<h2>Figures</h2><div class=charts>{drawn}</div>" if drawn else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh}
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
{script}</body>
</html>
"""

_STYLE = """
body { background: #181818; color: #ddd; font: 16px/1.5 system-ui, sans-serif; max-width: 1240px;
  margin: 1.5rem auto; padding: 0 1rem }
h1 { font-weight: 500; margin: 0 0 .5rem } h2 { font-weight: 500; margin: 2rem 0 .5rem }
figure { margin: 1.2rem 0 } img, video { max-width: 100%; display: block }
h1 + figure img { width: 100%; max-width: 1024px }
figcaption, small, .faint { color: #999 } figcaption span { margin-left: .8em }
.says { border-left: 4px solid #e0a458; padding: .2rem 0 .2rem 1.6rem; margin: 1rem 0 }
progress { width: 16rem; vertical-align: middle; accent-color: #e0a458 }
.charts { display: flex; flex-wrap: wrap; gap: 0 2rem }
.charts figure { width: 24rem; margin: .5rem 0 }
polyline { fill: none; stroke-width: 1.5 } svg { background: #202020; width: 100% }
"""

_STALE = """<script>
if (Date.now() / 1000 - %.0f > %d)
  document.querySelector("h1").append(" (not heard of for a while: was the training stopped?)");
</script>
"""
