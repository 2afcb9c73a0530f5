"""Which MIDI control moves which parameter.

Without any configuration every parameter has a control: channel 1 is the house (stage, clock,
master …), channel 2 the piece, channels 3 and up the scenes in their order; continuous parameters
take controllers in the order they were declared, triggers take notes from 36; programs of channel 1
call presets up, as other programs and lighting desks send them. A device that is known has its own
map instead; a venue's bindings and what was learned come before everything.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal

from installation.control.binding import Binding, Control, Kind, Move
from installation.control.takeover import Positions, Takeover, Way
from installation.parameters import Bus, Form, Trigger

# Left out of the automatic map. MIDI 1.0: 0 and 32 choose banks, 6, 38 and 96 to 101 set NRPNs,
# 64 is the pedal, 120 to 127 are orders to the whole channel.
_RESERVED = {0, 6, 32, 38, 64, *range(96, 102), *range(120, 128)}
_CONTROLLERS = [n for n in range(128) if n not in _RESERVED]
_NOTES = range(36, 128)
_AT_ONCE = 0.02  # seconds between the halves of one movement; no hand is as fast at two controls


def automatic(bus: Bus) -> list[Binding]:
    """A control for every parameter on the bus, the same for the same declarations.

    What is guarded is left out. An owner is a scene if /stage/scene/<owner> is there. What finds
    its channel full goes on in the first free one after the scenes; 16 channels hold 1,744
    parameters and 1,472 triggers.
    """
    owners = list(dict.fromkeys(_owner(address) for address, _ in bus))
    scenes = [owner for owner in owners if f"/stage/scene/{owner}" in bus]
    home = {owner: 3 + at % 14 for at, owner in enumerate(scenes)} | {"piece": 2}
    free = {
        (channel, kind): iter(numbers)
        for channel in range(1, 17)
        for kind, numbers in (("cc", _CONTROLLERS), ("note", _NOTES))
    }
    after = [*range(3 + len(scenes), 17), *range(1, 17)]
    found: dict[str, Binding] = {}

    def place(address: str, kind: Kind, channels: Iterable[int]) -> None:
        for channel in channels:
            number = next(free[channel, kind], None)
            if number is not None:
                found[address] = Binding(address, kind, number, channel)
                return

    wanted: list[tuple[str, Kind]] = [
        (address, "note" if isinstance(what, Trigger) else "cc")
        for address, what in bus
        if not what.guarded
    ]
    for address, kind in wanted:
        place(address, kind, [home.get(_owner(address), 1)])
    for address, kind in wanted:
        if address not in found:
            place(address, kind, after)
    return [found[address] for address, _ in wanted if address in found]


def programs(bus: Bus) -> list[Binding]:
    """The first program of channel 1 calls up the first preset, and so on."""
    addresses = [f"/preset/{program + 1}" for program in range(128)]
    return [
        Binding(address, "program", program, 1)
        for program, address in enumerate(addresses)
        if address in bus
    ]


def _owner(address: str) -> str:
    return address.split("/")[1]


class MidiMap:
    """Bindings, looked up by what moved. Safe to call from any thread.

    Call refresh() after parameters came or went: the automatic part is drawn up anew. takeover:
    what a control does that stands elsewhere than its parameter. devices: what is known of
    controllers as they come from the shop; whoever binds one of their controls knows better, and
    what is not named there moves nothing: pushes and banks send controls of the automatic map.
    """

    def __init__(
        self,
        bus: Bus,
        bindings: Iterable[Binding] = (),
        automatic: bool = True,
        takeover: Way = "jump",
        devices: Iterable[Binding] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._bus, self._draws_up, self._devices = bus, automatic, list(devices)
        self._takeover = Takeover(bus, takeover)
        self._given = list(bindings)
        self._bindings = list(self._given)  # these, and what was learned
        self._automatic: dict[tuple[int, Kind, int], Binding] = {}
        self._lock = threading.Lock()
        self._coarse: dict[tuple[str, int, int], tuple[int | None, bool]] = {}
        self._positions = Positions()
        self._hands: dict[str, str] = {}
        self._learning, self._low = "", ""
        self._learned: list[Binding] = []
        self._since: list[tuple[Binding, Move]] = []  # those of them learned here, and how
        self._bound: tuple[Binding, Move, float] | None = None  # by the last message of its port
        self.refresh()

    def refresh(self) -> None:
        found = automatic(self._bus) + programs(self._bus) if self._draws_up else []
        drawn = {(b.channel or 0, b.kind, b.number): b for b in found}
        with self._lock:
            self._automatic = drawn

    @property
    def bindings(self) -> list[Binding]:
        """The venue's bindings and those learned since; the automatic ones are not among them."""
        with self._lock:
            return list(self._bindings)

    @property
    def learning(self) -> str:
        """The address that waits for a control to be moved; "" if none does."""
        return self._learning

    @property
    def learned(self) -> list[Binding]:
        """The bindings that were learned, the last one at the end."""
        with self._lock:
            return list(self._learned)

    @property
    def waiting(self) -> str:
        """What to do with a control that has not been picked up; "" where there is none."""
        return self._takeover.waiting

    def know(self, bindings: Iterable[Binding]) -> None:
        """Take in what was learned another day, in the place of what was known of that; what was
        learned since comes after it."""
        with self._lock:
            self._bindings, self._learned = list(self._given), []
            for one in bindings:
                self._adopt(one, Move(one.port, one.channel or 1, one.kind, one.number, 0))
            for one, move in self._since:
                self._adopt(one, move)

    def learn(self, address: str) -> None:
        """Bind the control that is moved next to this address; "" stops waiting."""
        with self._lock:
            self._learning, self._low = (address if address in self._bus else ""), ""

    def of(self, port: str) -> Iterator[Binding]:
        """The controls of a port, by its full name, that move something, as hear() finds them."""
        with self._lock:
            mine = [binding for binding in self._bindings if binding.is_of(port)]
            rest = self._known(port) or list(self._automatic.values())
        taken: list[Binding] = []
        for bindings in (mine, rest):
            for one in bindings:
                move = Move(*one.on(port), 0)
                if not any(other.takes(move) for other in taken):
                    yield one
            taken += bindings

    def hand(self, address: str) -> str:
        """The port, by its full name, whose control moved a parameter last; "" if none has."""
        with self._lock:
            return self._hands.get(address, "")

    def shown(self, control: Control, unit: float) -> None:
        """A controller was told where this control of it is now, 0 to 1."""
        with self._lock:
            self._positions.told(control, unit)

    def held(self, port: str) -> list[Move]:
        """What is held down on a port, each as if it were let go of now."""
        with self._lock:
            return self._positions.held(port)

    def gone(self, port: str) -> None:
        """A controller was pulled out: where its controls stand nobody knows any more."""
        with self._lock:
            self._positions.forget(port)

    def rows(self) -> Iterator[tuple[str, str]]:
        """Every address with the controls that move it, as `installation scenes` prints them."""
        with self._lock:
            known = list(self._bindings)
            for (channel, kind, number), binding in self._automatic.items():
                drawn = Move("", channel, kind, number, 0)
                if not any(b.takes(drawn) for b in self._bindings):
                    known.append(binding)
        for address, _ in (*self._bus, *self._bus.others()):
            yield address, ", ".join(str(b) for b in known if b.address == address)

    def hear(self, move: Move) -> list[tuple[Binding, float, Form]]:
        """What a movement means: each binding that it reaches, with value and form to post."""
        with self._lock:
            self._widen(move)
            if self._learning and move.value > 0:
                self._bind(move)
            elif self._learning:
                self._low = f"{move.port} {move.channel} {move}"  # or it is the release of a button
            now, reached = {move.control: move}, []
            for binding, whole in self._find(move):
                now[whole.control] = whole
                if not self._takeover.takes(whole):
                    continue
                before = self._positions.before(whole)
                posted = binding.post(whole, self._bus.get(binding.address), before or 0.0)
                if posted is not None:
                    posted = self._takeover(binding, whole, before, posted)
                if posted is not None:
                    reached.append((binding, *posted))
                    self._hands[self._bus.meant(binding.address)] = whole.port
            for one in filter(self._takeover.takes, now.values()):
                self._positions.heard(one.control, one.unit)
        return reached

    def _known(self, port: str) -> list[Binding]:
        """What is known of the device at a port."""
        return [binding for binding in self._devices if binding.is_of(port)]

    def _find(self, move: Move) -> Iterator[tuple[Binding, Move]]:
        explicit = [binding for binding in self._bindings if binding.takes(move)]
        known = [] if explicit else self._known(move.port)
        explicit = explicit or [binding for binding in known if binding.takes(move)]
        for binding in explicit:
            whole = self._joined(move, binding) if binding.bits == 14 else move
            if whole is not None:
                yield binding, whole
        drawn = self._automatic.get((move.channel, move.kind, move.number))
        if drawn is not None and not explicit and not known:
            yield drawn, move

    def _joined(self, move: Move, binding: Binding) -> Move | None:
        """A 14-bit controller's value. MIDI 1.0: a coarse value sets the fine one to 0; one from
        which no fine part ever came is taken as 7 bits, so that it reaches its top."""
        key = (move.port, move.channel, binding.number)
        fine = move.number != binding.number
        coarse, has_fine = self._coarse.get(key, (None, False))
        coarse, has_fine = (coarse, True) if fine else (move.value, has_fine)
        if coarse is None:
            return None  # a fine part alone says nothing
        self._coarse[key] = (coarse, has_fine)
        if not has_fine:
            return move
        value = coarse << 7 | (move.value if fine else 0)
        return Move(move.port, move.channel, "cc", binding.number, value, 16383, half=not fine)

    def _bind(self, move: Move) -> None:
        where, (number, bits) = device(move.port), self._whole(move)
        new = Binding(self._learning, move.kind, number, move.channel, where, bits=bits)
        self._keep(new, move)
        self._learning = ""
        self._bound = (new, move, self._now())

    def _widen(self, move: Move) -> None:
        """A control just learned has 14 bits where its fine part follows at once."""
        if self._bound is None or self._bound[1].port != move.port:
            return
        (new, coarse, at), self._bound = self._bound, None
        fine = Move(move.port, coarse.channel, "cc", coarse.number + 32, 0).control
        is_fine = new.bits == 7 and new.kind == "cc" and new.number < 32 and move.control == fine
        free = not any(known.takes(move) for known in self._bindings)
        if is_fine and free and self._now() - at < _AT_ONCE:
            self._keep(replace(new, bits=14), move)
            self._coarse[move.port, move.channel, new.number] = coarse.value, True

    def _whole(self, move: Move) -> tuple[int, Literal[7, 14]]:
        """Number and bits of the control that moved. A fine part is no control of its own where the
        venue knows the whole, or where its coarse part has just said that it is at its low end."""
        for known in self._bindings:
            if known.bits == 14 and known.takes(move):
                return known.number, 14
        coarse, is_fine = move.number - 32, move.kind == "cc" and 32 <= move.number < 64
        if is_fine and self._low == f"{move.port} {move.channel} cc {coarse}":
            return coarse, 14
        return move.number, 7

    def _keep(self, new: Binding, move: Move) -> None:
        """Take in a binding that was learned now."""
        self._since = [(one, how) for one, how in self._since if _stays(one, new, move)]
        self._since.append((new, move))
        self._adopt(new, move)

    def _adopt(self, new: Binding, move: Move) -> None:
        """A binding in the place of others of its address or its control, which is moved."""
        self._bindings = [*(b for b in self._bindings if _stays(b, new, move)), new]
        self._learned = [*(b for b in self._learned if _stays(b, new, move)), new]


def _stays(old: Binding, new: Binding, move: Move) -> bool:
    """Whether a binding is of another address and control than a new one, which is moved."""
    return old.address != new.address and not old.takes(move)


@functools.lru_cache(maxsize=64)
def device(port: str) -> str:
    """A port's name without what changes when it is plugged in again.

    ALSA says "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", Windows "nanoKONTROL2 1".
    """
    alsa = re.fullmatch(r"(.+?):.* \d+:\d+", port)
    return alsa[1] if alsa else re.sub(r" \d+$", "", port)
