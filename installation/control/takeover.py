"""Taking a parameter over by hand: what a control does that stands elsewhere than its parameter.

After a change of scene, a message by OSC or another controller, a knob is not where its parameter
is. The three ways out are those of Ableton Live ("Takeover Mode" in its manual).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from installation.control.binding import HELD, PRESSED, Binding, Control, Move
from installation.parameters import Bus, Form, Param

Way = Literal["jump", "pickup", "scale"]

_SAID = 4.0  # seconds after a hand last moved a control that has not been picked up
_NEAR = 0.02  # of the range: two and a half steps of a control that has 128
_REACH = 0.1  # of the range: further no hand comes between two messages of its fader


class Positions:
    """Where controls are, 0 to 1, as far as anybody knows."""

    def __init__(self) -> None:
        self._heard: dict[Control, float] = {}
        self._told: dict[Control, float] = {}  # since it was heard last

    def heard(self, control: Control, unit: float) -> None:
        """A hand has moved it there."""
        self._heard[control] = unit
        self._told.pop(control, None)

    def told(self, control: Control, unit: float) -> None:
        """It was asked to go there, which a motor fader and a ring of LEDs do."""
        self._told[control] = unit

    def held(self, port: str) -> list[Move]:
        """What is held down on a port, each as if it were let go of now."""
        return [
            Move(*control, 0)
            for control, unit in self._heard.items()
            if control[0] == port and control[2] in HELD and unit > 0
        ]

    def forget(self, port: str) -> None:
        """A port is gone: what is plugged in again may have been moved meanwhile."""
        for known in (self._heard, self._told):
            for control in [one for one in known if one[0] == port]:
                del known[control]

    def before(self, move: Move) -> float | None:
        """Where a control was that a hand has moved now, None if nobody knows.

        Whether it goes where it is told nobody says. If not, it was where the hand had left it:
        where it is found now is nearer to that.
        """
        left, told = self._heard.get(move.control), self._told.get(move.control)
        way = _REACH if left is None else abs(left - move.unit)
        return told if told is not None and abs(told - move.unit) <= way else left


class Takeover:
    """way: jump goes to the control at once; pickup waits until the control comes by; scale goes
    along with it, faster or slower, until they meet at one of the ends.

    What is pressed holds a parameter, and a relative knob sends steps: these never jump.
    """

    def __init__(
        self, bus: Bus, way: Way = "jump", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._bus, self._way, self._now = bus, way, now
        self._missed = ("", 0.0)  # what to do with the control that was moved in vain, and when

    def takes(self, move: Move) -> bool:
        """Whether a movement counts. The coarse half of one goes past where the control is, and to
        scale that way and back leads elsewhere."""
        return not (move.half and self._way == "scale")

    @property
    def waiting(self) -> str:
        """What to do with the control that was moved just now and has not been picked up."""
        text, at = self._missed
        return text if self._now() - at < _SAID else ""

    def __call__(
        self, binding: Binding, move: Move, before: float | None, posted: tuple[float, Form]
    ) -> tuple[float, Form] | None:
        """What to post instead of `posted`, where the jump would go; None: nothing.

        before: where the control was, 0 to 1, None if nobody knows.
        """
        what = self._bus.get(binding.address)
        absolute = move.kind not in PRESSED and binding.mode == "absolute"
        if self._way == "jump" or not absolute or not isinstance(what, Param):
            return posted
        low, high = binding.ends(what)
        if low == high:
            return posted
        stands = (self._bus.asked(binding.address) - low) / (high - low)
        was = move.unit if before is None else before
        if self._way == "pickup":
            return self._picked_up(binding, move, was, stands, posted)
        if abs(stands - was) <= _NEAR:
            return posted
        if move.unit == was:  # the first that is heard of it
            return None
        return low + _scaled(stands, was, move.unit) * (high - low), "value"

    def _picked_up(
        self, binding: Binding, move: Move, was: float, stands: float, posted: tuple[float, Form]
    ) -> tuple[float, Form] | None:
        stands = min(1.0, max(0.0, stands))  # beyond what the control reaches: taken up at its end
        if min(was, move.unit) - _NEAR <= stands <= max(was, move.unit) + _NEAR:
            self._missed = ("", 0.0)
            return posted
        self._missed = (f"{move} takes up {binding.address} at {stands:.0%}", self._now())
        return None


def _scaled(stands: float, was: float, now: float) -> float:
    """Where a parameter goes when its control goes from `was` to `now`: the same share of the way
    that is left to the end."""
    if now > was:
        return stands + (1 - stands) * (now - was) / (1 - was)
    return stands * now / was
