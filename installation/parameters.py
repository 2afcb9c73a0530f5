"""Parameters, declared once, and the bus: the only road from a control to a parameter.

    class Drift(Scene):
        speed = Param(0.10, 0, 2, unit="seeds/s", glide=1.0, doc="How fast we travel.")

From that line come the OSC address /drift/speed, the MIDI scaling, the slider of the overlay, the
row of `installation scenes`, and the test that sweeps it. Any thread may post; once per frame the
render loop calls tick(), so that a frame sees one consistent set of values.
"""

from __future__ import annotations

import difflib
import logging
import math
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, overload

from installation.glide import Glide
from installation.log import Complaints
from installation.posted import Form, Post, Posted, Together, number_in, shortened

log = logging.getLogger(__name__)

_LONGEST_ADDRESS = 128


@dataclass(frozen=True)
class Param:
    """One number that the room may move.

    glide: seconds in which about two thirds of the way to a new value is gone; 0 jumps. guarded:
    as of a Trigger.
    """

    default: float
    low: float
    high: float
    unit: str = ""
    glide: float = 0.0
    doc: str = ""
    guarded: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.default, self.low, self.high, self.glide))):
            raise ValueError(f"a parameter's numbers must be finite: {self}")
        if not self.low <= self.default <= self.high or self.low == self.high or self.glide < 0:
            raise ValueError(f"needs low ≤ default ≤ high, low < high and glide ≥ 0: {self}")

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "_name", name)  # frozen for everybody else

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Parameters, owner: type) -> float: ...
    def __get__(self, instance: Parameters | None, owner: type) -> Self | float:
        return self if instance is None else instance.read(self._name)  # type: ignore[attr-defined]

    def clamp(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def from_unit(self, unit: float) -> float:
        """0..1 of a fader to the parameter's own range."""
        return self.low + min(max(unit, 0.0), 1.0) * (self.high - self.low)

    def to_unit(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Trigger:
    """Something that happens: a note, a button. Queued and counted, never sampled or dropped.

    Read on its owner it gives how often it fired since the last frame. guarded: bound to a MIDI
    control only by a venue or by hand, so that playing a keyboard cannot set it off.
    """

    doc: str = ""
    guarded: bool = False

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "_name", name)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Parameters, owner: type) -> int: ...
    def __get__(self, instance: Parameters | None, owner: type) -> Self | int:
        if instance is None:
            return self
        return int(instance.read(self._name))  # type: ignore[attr-defined]


Declared = Param | Trigger


class Parameters:
    """Base of whatever owns parameters: a scene, the clock, the stage."""

    _bus: Bus | None = None
    _prefix: str = ""

    @classmethod
    def declared(cls) -> dict[str, Declared]:
        """Every Param and Trigger of the class, in the order they were written."""
        found: dict[str, Declared] = {}
        for base in reversed(cls.__mro__):
            found |= {k: v for k, v in vars(base).items() if isinstance(v, Param | Trigger)}
        return found

    def bind(self, bus: Bus, prefix: str) -> None:
        """Put the parameters on the bus under /prefix/…; before that they read as default."""
        self._bus, self._prefix = bus, prefix
        bus.declare(prefix, self.declared())

    def read(self, name: str) -> float:
        if self._bus is None:
            declared = self.declared()[name]
            return declared.default if isinstance(declared, Param) else 0
        return self._bus.value(f"/{self._prefix}/{name}")


class Bus:
    """Carries values from controls to parameters.

    post() from any thread; tick(), declare() and the reads from the render thread.
    """

    def __init__(self) -> None:
        self._params: dict[str, Declared] = {}
        self._states: dict[str, Glide] = {}
        self._fired: Counter[str] = Counter()
        self._moved: set[str] = set()  # in this frame
        self.away: Mapping[str, float] = {}  # by modulate()
        self.taken: list[Post] = []  # all that was asked for in this frame
        self._last_source: dict[str, str] = {}
        self._posted = Posted()
        # `with bus.together:` one tick takes in all that a thread posts in it
        self.together = Together(self._take_in)
        self._lock = threading.Lock()
        self._complaints = Complaints(log)
        self._meant: dict[str, str] = {}

    def __contains__(self, address: object) -> bool:
        return address in self._params or address in self._meant

    def __iter__(self) -> Iterator[tuple[str, Declared]]:
        return iter(list(self._params.items()))

    def __getitem__(self, address: str) -> Declared:
        return self._params[self.meant(address)]

    def get(self, address: str) -> Declared | None:
        """What is declared there, None if nothing is; from any thread."""
        return self._params.get(self.meant(address))

    def lead(self, meant: Mapping[str, str]) -> None:
        """Let addresses stand for others, until told otherwise: a control for whatever is on."""
        self._meant = {a: address for a, address in meant.items() if address in self._params}

    def others(self) -> list[tuple[str, Declared]]:
        """The addresses that stand for others now, and what they stand for."""
        known = self._params
        return [(a, known[address]) for a, address in self._meant.items() if address in known]

    def meant(self, address: str) -> str:
        """The address that one stands for; most stand for themselves."""
        return self._meant.get(address, address)

    def declare(self, prefix: str, declared: Mapping[str, Declared]) -> None:
        """Add parameters under /prefix/, in their order, before what else is there. One declared
        before keeps its value and goes on gliding, so that reloading a scene changes nothing on the
        wall."""
        ours = {f"/{prefix}/{name}": what for name, what in declared.items()}
        known, start = list(self._params.items()), f"/{prefix}/"
        at = next((n for n, (a, _) in enumerate(known) if a.startswith(start)), len(known))
        params, states = dict(known[:at]) | ours, dict(self._states)
        params |= {a: what for a, what in known[at:] if a not in ours}
        for address, what in ours.items():
            if isinstance(what, Param):
                old = states.get(address, Glide(what.default, what.default))
                value, target = what.clamp(old.value), what.clamp(old.target)
                states[address] = replace(old, value=value, target=target)
            else:
                states.pop(address, None)  # a number until the scene was saved again
        with self._lock:
            self._params, self._states = params, states

    def copy(self) -> Bus:
        """One where all stands as it does here, to try out what nobody is to notice."""
        made = Bus()
        made._params, made._meant = dict(self._params), dict(self._meant)
        made._states = {address: replace(state) for address, state in self._states.items()}
        return made

    def withdraw(self, prefix: str, keep: Collection[str] = ()) -> None:
        """Forget everything under /prefix/ but the addresses to keep."""
        start = f"/{prefix}/"
        gone = {k for k in self._params if k.startswith(start) and k not in keep}
        with self._lock:
            self._params = {k: v for k, v in self._params.items() if k not in gone}
            self._states = {k: v for k, v in self._states.items() if k not in gone}

    def post(self, address: str, value: Any, source: str = "", form: Form = "value") -> bool:
        """Ask for a change; it takes effect at the next tick. True if the address and value fit.

        form: "value" in the parameter's own unit; "unit" as 0..1 of its range, as MIDI sends;
        "nudge" as a step relative to where it stands, in parts of its range; "modulation" is what
        is to move a Param by itself, or None. Out of range is clamped; NaN, infinity and text are
        ignored, and said once. A Trigger fires when the value is above 0, so that a button's
        release does nothing.
        """
        through, address = address, self.meant(address)
        what = self._params.get(address)
        if what is None:
            self._complaints.once(("unknown", address), lambda: self._unknown(address, source))
            return False
        number = 0.0 if form == "modulation" else number_in(value)
        if number is None:
            self._complaints.once(
                ("value", address, source),
                lambda: (
                    f"{source or 'something'} sent {shortened(value)} to {address}, "
                    "which takes a number; ignored"
                ),
            )
            return False
        event = isinstance(what, Trigger)
        if event and number <= 0:
            return True
        self.together.add(Post(address, number, form, source, through, value), event)
        return True

    def _take_in(self, posts: Sequence[tuple[Post, bool]]) -> None:
        with self._lock:
            held = [self._posted.add(post, event) for post, event in posts]
        if not all(held):
            self._complaints.once("flood", lambda: "more events than a frame can hold")

    def steer(
        self, address: str, value: float, source: str, before: float | None = None
    ) -> float | None:
        """Post a value and return where the Param will then be going, with nobody in between.

        before: what was asked for when the caller looked last. Where it is something else by now,
        or the Param is gone, nothing is posted, and None returned.
        """
        through, address = address, self.meant(address)
        with self._lock:
            if address not in self._states or before not in (None, self._asked(address)):
                return None
            self._posted.add(Post(address, value, "value", source, through), event=False)
            return self._asked(address)

    def tick(self, dt: float) -> list[str]:
        """Take in what was posted, then glide by dt seconds. Returns the triggers that fired."""
        self._fired.clear()
        self._moved.clear()
        events = []
        with self._lock:
            self.taken = self._posted.take()
            for post in self.taken:
                address, what = post.address, self._params.get(post.address)
                if isinstance(what, Trigger):
                    self._fired[address] += 1
                    self._last_source[address] = post.source
                    events.append(address)
                elif isinstance(what, Param) and post.form != "modulation":
                    state = self._states[address]
                    state.target = post.moves(what, state.target)
                    state.moved_by, state.moved_through = post.source, post.by
                    self._moved.add(address)
        for address, state in self._states.items():
            state.on(self._params[address].glide, dt)  # type: ignore[union-attr]
        return events

    @property
    def modulations(self) -> list[Post]:
        """What was asked for in this frame to move by itself."""
        return [post for post in self.taken if post.form == "modulation"]

    def modulate(self, away: Mapping[str, float]) -> None:
        """These Params alone are so far from where their faders stand, in parts of their range."""
        self.away = dict(away)

    def value(self, address: str) -> float:
        """Where the parameter is now, on its glide and moved by what modulates it; for a Trigger,
        how often it fired."""
        address = self.meant(address)
        state = self._states.get(address)
        if state is None:
            return self._fired[address]
        away, what = self.away.get(address), self._params[address]
        if away is None or not isinstance(what, Param):
            return state.value
        return what.clamp(state.value + away * (what.high - what.low))

    def target(self, address: str) -> float:
        """Where the parameter is going."""
        address = self.meant(address)
        state = self._states.get(address)
        return self._fired[address] if state is None else state.target

    def asked(self, address: str) -> float:
        """Where a Param will be going after the next tick, by what was posted so far."""
        address = self.meant(address)
        with self._lock:
            return self._asked(address) if address in self._states else self._fired[address]

    def _asked(self, address: str) -> float:
        param, going = self._params[address], self._states[address].target
        return self._posted.leads(address, param, going)  # type: ignore[arg-type]

    def moved_by(self, address: str) -> str:
        """What moved it last ("osc", "midi nanoKONTROL cc 3", …); empty if nothing has."""
        address = self.meant(address)
        state = self._states.get(address)
        return self._last_source.get(address, "") if state is None else state.moved_by

    def moved_now(self, address: str) -> bool:
        """Whether a Param was asked for something in this frame."""
        return self.meant(address) in self._moved

    def moved_through(self, address: str) -> str:
        """The address by which whoever moved a Param last has reached it."""
        state = self._states.get(self.meant(address))
        return "" if state is None else state.moved_through

    def reset(self, address: str) -> None:
        """Back to the default, along the glide."""
        what = self[address]
        if isinstance(what, Param):
            self.post(address, what.default, "reset")

    def nearest(self, address: str) -> str:
        """The address that was perhaps meant, "" if none is like it."""
        if len(address) > _LONGEST_ADDRESS:  # the comparison is slow on long, hostile text
            return ""
        return next(iter(difflib.get_close_matches(address, self._params, n=1, cutoff=0.5)), "")

    def _unknown(self, address: str, source: str) -> str:
        near = self.nearest(address)
        hint = f"; did you mean {near!r}?" if near else "; `installation scenes` lists them"
        return f"{source or 'something'} sent to {address[:_LONGEST_ADDRESS]!r}, not known{hint}"
