"""Presets: a scene, its piece and how the faders stand, stored under a number and called up live.

    /preset/3        fades to preset 3 within /preset/fade seconds (F3)
    /preset/store    the next number is stored, not called up (Shift+F3 does both)

They are kept in a file of the venue's, so that a sound check is there in the evening.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, FiniteFloat

from installation import venue
from installation.control.keyboard import PRESETS
from installation.evening import Evening
from installation.kept import KeptFile
from installation.log import Complaints
from installation.modulation import Modulation, Modulations
from installation.parameters import Bus, Param, Parameters, Trigger
from installation.sources import PRESET, moved_by_hand_now
from installation.tables import Table

log = logging.getLogger(__name__)

COUNT = 16
_ARMED = 10.0  # seconds in which the number must follow, or a later one would be overwritten
_SAID = 8.0  # seconds in which a hand is told why what it pressed did not do all that it wanted
_SHARED = ("light", "piece")  # owners whose parameters dress every scene
_HEAD = "# Presets, stored while playing (Shift+F1 …). One that is taken out is forgotten.\n"


class Recall(Parameters):
    """What stands under /preset beside the numbers."""

    store = Trigger(doc="Store what is on under the number that is pressed next.", guarded=True)
    fade = Param(2, 0, 30, unit="s", doc="How long what a preset changes takes to get there.")


def numbers() -> dict[str, Trigger]:
    """The triggers that call presets up, by name."""
    return {str(n): Trigger(doc=f"Call up preset {n}.") for n in range(1, COUNT + 1)}


class Preset(Table):
    """One preset, as it stands in the file."""

    number: int = Field(ge=1, le=COUNT)
    scene: str
    piece: str = ""
    parameters: dict[str, FiniteFloat] = Field(default_factory=dict)
    modulation: dict[str, Modulation] = Field(default_factory=dict)


class Kept(Table):
    """The file."""

    preset: list[Preset] = Field(default_factory=list)


@dataclass
class _Fade:
    """Parameters on their way. begun, wanted: values by address; said: what we asked for last."""

    begun: dict[str, float]
    wanted: dict[str, float]
    said: dict[str, float]
    seconds: float
    passed: float = 0.0


class Presets:
    """scenes: their files by name. file: where presets are kept; "" keeps them for this evening
    alone. known: those that there are, if not from the file. Raises VenueError for a file that is
    not right: it is not to be overwritten."""

    def __init__(
        self,
        bus: Bus,
        modulations: Modulations,
        evening: Evening,
        scenes: Mapping[str, str],
        file: str,
        known: Sequence[Preset] | None = None,
    ) -> None:
        self._bus, self._evening, self._scenes = bus, evening, scenes
        self._modulations = modulations
        self._file = KeptFile(file, Kept)
        self._known = {one.number: one for one in (read(file) if known is None else known)}
        self._ours: set[int] = set()  # that were stored this evening
        self._complaints = Complaints(log)  # a fader or a sequencer may call up one each frame
        self._storing = 0.0  # seconds left in which a number is stored
        self._called: tuple[Preset, float] | None = None  # in this frame, and how long it fades
        self._fade: _Fade | None = None
        self._lacks, self._lacking = "", 0.0  # what is wrong with the last one; seconds left to say

    @property
    def known(self) -> list[Preset]:
        return list(self._known.values())

    @property
    def stored(self) -> list[int]:
        """The numbers that hold something."""
        return sorted(self._known)

    @property
    def storing(self) -> bool:
        """Whether the number that is pressed next is stored."""
        return self._storing > 0

    @property
    def going(self) -> dict[str, float]:
        """Where the faders that are still on their way go, by address."""
        fade = self._fade
        return {} if fade is None else {address: fade.wanted[address] for address in fade.said}

    @property
    def news(self) -> str:
        """What is waited for, or what kept the preset called up last from coming on whole; "" for
        nothing."""
        if self.storing:
            return "press the preset's number to store what is on"
        return self._lacks if self._lacking > 0 else ""

    def press(self, name: str) -> None:
        """Something under /preset was fired: a number, or the wish to store."""
        self._lacking = 0.0
        if name == "store":
            self._storing = _ARMED
        elif self.storing:
            self._storing = 0.0
            self._store(int(name))
        else:
            self._call_up(int(name))

    def follow(self, dt: float) -> None:
        """Let dt seconds pass: what is on its way goes on, but for what a hand has taken over."""
        self._storing -= dt
        self._lacking -= dt
        if self._called is not None:
            self._begin(*self._called)
            self._called = None
        fade = self._fade
        if fade is None:
            return
        fade.passed += dt
        part = 1.0 if fade.passed >= fade.seconds else fade.passed / fade.seconds
        for address in list(fade.said):
            begun, wanted = fade.begun[address], fade.wanted[address]
            value = wanted if part == 1 else begun + part * (wanted - begun)
            said = self._bus.steer(address, value, PRESET, before=fade.said[address])
            if said is None:
                del fade.said[address]
            else:
                fade.said[address] = said
        if part == 1 or not fade.said:
            self._fade = None

    def _store(self, number: int) -> None:
        scene, piece, _ = self._evening.on
        faders = list(self._faders(scene))
        moving = {address: self._modulations.of(address) for address in faders}
        self._known[number] = Preset(
            number=number,
            scene=scene,
            piece=piece,
            parameters={address: self._bus.asked(address) for address in faders},
            modulation={address: one for address, one in moving.items() if one is not None},
        )
        self._ours.add(number)
        self._file.write(self._text)
        log.info("preset %d is %s as it stands", number, scene)

    def _faders(self, scene: str) -> Iterator[str]:
        """What a preset of this scene keeps."""
        owners = {*_SHARED, scene}
        for address, what in self._bus:
            if isinstance(what, Param) and address.split("/")[1] in owners:
                yield address

    def _call_up(self, number: int) -> None:
        preset = self._known.get(number)
        if preset is None:
            keys = f", or Shift+F{number}," if number in PRESETS.values() else ""
            self._tell(
                f"preset {number} is empty; /preset/store and then /preset/{number}{keys} stores "
                "what is on"
            )
            return
        if preset.scene not in self._scenes:
            self._tell(
                f"preset {number}: there is no scene {preset.scene} in this show; "
                "name it in the setlist"
            )
            return
        _, piece, _ = self._evening.on
        if preset.piece and preset.piece not in self._evening.pieces:
            self._tell(
                f"preset {number}: there is no piece {preset.piece} in this show, {piece} stays "
                "on; name it in the setlist"
            )
        seconds = self._bus.target("/preset/fade")
        if self._evening.as_it_was(self._scenes[preset.scene], preset.piece, seconds):
            seconds = 0.0  # the pictures fade from one to the other, so the faders need not
        self._called = preset, seconds

    def _begin(self, preset: Preset, seconds: float) -> None:
        """Its scene is on, or coming on. One that did not start leaves everything as it is."""
        if self._evening.fault or self._evening.on[0] != preset.scene:
            return
        wanted = {a: v for a, v in preset.parameters.items() if self._takes(a)}
        begun = {address: self._bus.asked(address) for address in wanted}
        said = {a: value for a, value in begun.items() if value != wanted[a]}
        for address in wanted.keys() - said.keys():  # there already, and the preset's from now
            self._bus.post(address, wanted[address], PRESET)
        self._fade = _Fade(begun, wanted, said, seconds)
        spared = self._modulations.chosen_now
        moving = dict.fromkeys(self._faders(preset.scene)) | preset.modulation
        for address, one in moving.items():
            if address in self._bus and address not in spared:
                self._modulations.set(address, one, PRESET)
        on = f"preset {preset.number}: {preset.scene}"
        self._complaints.once(on, lambda: on)

    def _tell(self, lacks: str) -> None:
        self._lacks, self._lacking = lacks, _SAID
        self._complaints.once(lacks, lambda: lacks)

    def _takes(self, address: str) -> bool:
        """Whether it is there today, as pieces differ in labels and scenes change, and no hand has
        moved it together with the preset."""
        there = isinstance(self._bus.get(address), Param)
        return there and not moved_by_hand_now(self._bus, address)

    def _text(self, there: Kept | None) -> str:
        """What is kept. What somebody else has written meanwhile, by hand or from another show,
        stays."""
        if there is not None:
            others = {one.number: one for one in there.preset}
            self._known = others | {number: self._known[number] for number in self._ours}
        lines = "\n".join(_lines(self._known[number]) for number in sorted(self._known))
        return f"{_HEAD}\n{lines}"


def _lines(preset: Preset) -> str:
    """A preset as TOML."""
    values = "".join(f"{venue.quoted(a)} = {v!r}\n" for a, v in preset.parameters.items())
    moving = "".join(f"{venue.quoted(a)} = {_inline(m)}\n" for a, m in preset.modulation.items())
    return (
        f"[[preset]]\nnumber = {preset.number}\nscene = {venue.quoted(preset.scene)}\n"
        f"piece = {venue.quoted(preset.piece)}\n[preset.parameters]\n{values}"
        + (f"[preset.modulation]\n{moving}" if moving else "")
    )


def _inline(one: Modulation) -> str:
    said = one.model_dump(exclude_defaults=True).items()
    return "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in said) + " }"


def read(file: str) -> list[Preset]:
    """What the file keeps; nothing where there is none yet. Raises VenueError."""
    there = KeptFile(file, Kept).read()
    return [] if there is None else there.preset
