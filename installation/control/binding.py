"""One MIDI control, what it sends, and the parameter that it is bound to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from installation.control.message import ControlError
from installation.parameters import Declared, Form, Param, Trigger

Kind = Literal["cc", "note", "pitchwheel", "nrpn", "program", "aftertouch"]
ALONE = ("pitchwheel", "aftertouch")  # of a channel, without a number
HELD = ("note", "aftertouch")  # until they are let go of
PRESSED = (*HELD, "program")  # they stand nowhere while nobody plays
# An endless knob sends steps. MIDI has no rule for them; the three ways are those of controllers'
# editors and of Ableton Live ("MIDI CC Control" in its manual), by the value of one step down.
Mode = Literal["absolute", "relative", "offset", "sign"]
_STEPS: dict[str, Callable[[int], int]] = {
    "relative": lambda value: value - 128 if value > 63 else value,  # two's complement: 127
    "offset": lambda value: value - 64,  # 63
    "sign": lambda value: 64 - value if value > 64 else value % 64,  # 65; 64 is no step
}
Control = tuple[str, int, Kind, int]  # one control of one port: port, channel, kind, number
CHOOSING = range(98, 102)  # MIDI 1.0: these controllers choose the NRPN or RPN that 6 and 38 move
_HIGHEST: dict[str, int] = {
    "cc": 127, "note": 127, "pitchwheel": 0, "nrpn": 16383, "program": 127, "aftertouch": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Move:
    """One movement of one control. value: 0 to top; a note's velocity, 0 on release; of a program
    top. half: its fine half is still to come."""

    port: str  # the full name of the port
    channel: int  # 1 to 16
    kind: Kind
    number: int
    value: int
    top: int = 127
    half: bool = False

    @property
    def unit(self) -> float:
        """Where the control is now, 0 to 1."""
        return self.value / self.top

    @property
    def control(self) -> Control:
        """What was moved; two alike controllers have ports of different names."""
        return self.port, self.channel, self.kind, self.number

    def __str__(self) -> str:
        return self.kind if self.kind in ALONE else f"{self.kind} {self.number}"


@dataclass(frozen=True)
class Binding:
    """One control bound to one parameter.

    channel: 1 to 16, None for any. port: part of the port's name, "" for any. low, high: what the
    ends of the control mean in the parameter's own unit; its own range by default, and low may be
    above high. mode: absolute, or how an endless knob says its steps, each 1/128 of the range, or
    of the way from low to high, which do not hold it. bits: 14 joins cc 0 to 31 with cc 32 to 63
    for the fine part. Raises ControlError.

    A note bound to a continuous parameter holds it at its velocity until released; a program sets
    it to `high`.
    """

    address: str
    kind: Kind = "cc"
    number: int = 0
    channel: int | None = None
    port: str = ""
    low: float | None = None
    high: float | None = None
    mode: Mode = "absolute"
    bits: Literal[7, 14] = 7

    def __post_init__(self) -> None:
        if self.kind not in _HIGHEST:
            raise ControlError(f"{self.address}: a control is one of {', '.join(_HIGHEST)}")
        if not 0 <= self.number <= _HIGHEST[self.kind]:
            highest = _HIGHEST[self.kind]
            raise ControlError(f"{self.address}: {self.kind} {self.number} is not 0 to {highest}")
        if self.kind == "cc" and self.number in CHOOSING:
            raise ControlError(f"{self.address}: cc 98 to 101 choose NRPNs, and move nothing")
        if self.channel is not None and not 1 <= self.channel <= 16:
            raise ControlError(f"{self.address}: MIDI channel {self.channel} is not 1 to 16")
        if not all(math.isfinite(end) for end in (self.low, self.high) if end is not None):
            raise ControlError(f"{self.address}: low and high must be finite numbers")
        if self.bits == 14 and (self.kind != "cc" or self.number > 31):
            raise ControlError(f"{self.address}: 14 bits need a cc from 0 to 31")
        if self.mode != "absolute" and (self.kind != "cc" or self.bits == 14):
            raise ControlError(f"{self.address}: an endless knob is a cc of 7 bits")

    @property
    def control(self) -> str:
        """As a Move of it says."""
        return self.kind if self.kind in ALONE else f"{self.kind} {self.number}"

    def __str__(self) -> str:
        where = [self.port] if self.port else []
        where += [f"ch {self.channel}"] if self.channel else []
        return " ".join([*where, self.control])

    def takes(self, move: Move) -> bool:
        """Whether it is this control that moved, coarse or fine part."""
        fine = self.bits == 14 and move.number == self.number + 32
        return (
            self.kind == move.kind
            and (self.number == move.number or fine)
            and self.channel in (None, move.channel)
            and self.is_of(move.port)
        )

    def is_of(self, port: str) -> bool:
        """Whether it is a control of this port, by its full name."""
        return self.port.lower() in port.lower()

    def on(self, port: str) -> Control:
        """It, on this port; one of any channel on the first."""
        return port, self.channel or 1, self.kind, self.number

    def post(self, move: Move, what: Declared | None, before: float) -> tuple[float, Form] | None:
        """Value and form for the bus, or None where this movement means nothing.

        before: where the control was, 0 to 1; a knob or button fires a trigger as it passes half.
        """
        if what is None:
            return None
        if isinstance(what, Trigger):
            struck = move.kind in ("note", "program")
            fires = move.value > 0 if struck else before <= 0.5 < move.unit
            return (1.0, "value") if fires else None
        low, high = self.ends(what)
        if self.mode != "absolute":
            share = (high - low) / (what.high - what.low)
            return _STEPS[self.mode](move.value) / 128 * share, "nudge"
        if self.low is None and self.high is None:
            return move.unit, "unit"
        return low + move.unit * (high - low), "value"

    def ends(self, what: Param) -> tuple[float, float]:
        """What the ends of the control mean, in the parameter's own unit."""
        low = what.low if self.low is None else self.low
        return low, what.high if self.high is None else self.high
