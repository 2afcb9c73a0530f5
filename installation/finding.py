"""What `installation check` finds, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

State = Literal["ok", "note", "fault"]
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. note: it works, but not as well as it could; fault: it will
    not. do: what to do about it."""

    what: str
    state: State
    says: str
    do: str = ""


def to_text(findings: list[Finding]) -> str:
    """A line for each, and below it what to do."""
    wide = max(len(one.what) for one in findings)
    lines = []
    for one in findings:
        lines.append(f"{one.what:{wide}}  {one.state:5}  {one.says}")
        if one.do:
            lines.append(f"{'':{wide}}     →   {one.do}")
    faults = sum(one.state == "fault" for one in findings)
    lines.append("")
    lines.append(f"{faults} to mend" if faults else "ready to play")
    return "\n".join(lines)


def tried(
    what: str, work: Callable[[], _Made], *kinds: type[Exception], do: str = ""
) -> _Made | Finding:
    """The result, or the fault that it is."""
    try:
        return work()
    except kinds as error:
        return Finding(what, "fault", str(error), do)
