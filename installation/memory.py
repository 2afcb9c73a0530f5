"""What a show was doing, kept while it plays: one that ended against its will takes it up again.

A performer whose machine fails in the middle of a set wants the same scene and the same faders.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    ValidationError,
)

from installation.evening import Dressed, Evening
from installation.log import Complaints
from installation.modulation import Modulation, Modulations
from installation.parameters import Bus, Param
from installation.presets import Presets
from installation.sources import MEMORY, by_hand
from installation.watch.lights import Lights
from installation.writing import replace

log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds
_STEP = 10.0  # seconds; how long an entry has been on is kept no finer, or all would ever be new


class Moment(BaseModel):
    """The scene and piece that were on, whether a hand had chosen, and what hands had moved. at,
    seconds: where in the setlist, and for how long. dressed: in which of its entries, which is not
    that of the scene after a preset. covered: what hands had moved, under what that entry had set.
    moving, moving_covered: the same of what moves by itself. dark: by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scene: str
    piece: str
    held: bool
    at: NonNegativeInt
    seconds: NonNegativeFloat
    moved: dict[str, FiniteFloat]
    covered: dict[str, FiniteFloat]
    dark: bool
    moving: dict[str, Modulation | None] = {}
    moving_covered: dict[str, Modulation | None] = {}
    dressed: Dressed | None = None


class Memory:
    """file: where it is kept; "" keeps nothing."""

    def __init__(
        self, file: str, bus: Bus, modulations: Modulations, evening: Evening, presets: Presets,
        lights: Lights,
    ) -> None:  # fmt: skip
        self._file = Path(file) if file else None
        self._bus, self._evening, self._lights = bus, evening, lights
        self._modulations, self._presets = modulations, presets
        self._passed = 0.0
        self._kept: dict[str, Any] = {}
        self._complaints = Complaints(log)

    def take_up(self, scenes: Mapping[str, str], first: str) -> None:
        """Open the evening where it was, or with the scene `first`. scenes: files by name."""
        moment = self._read()
        if moment is None:
            self._evening.open(first)
            return
        self._post(moment.covered)
        self._bus.tick(0)  # the entry goes back to these when it is over
        self._move(moment.moving_covered)
        if moment.scene in scenes:
            log.info("%s is taken up again, with %d faders", moment.scene, len(moment.moved))
            place = moment.at, moment.seconds
            self._evening.open(
                scenes[moment.scene], moment.piece, moment.held, place, moment.dressed
            )
        else:
            log.info("%s is no more; %d faders are taken up", moment.scene, len(moment.moved))
            self._evening.open(first)
        self._post(moment.moved)
        self._move(moment.moving)
        if moment.dark:
            self._lights.stay_out()
            log.info("the wall stays dark, as a hand left it; /stage/black, or B, lights it")

    def _post(self, values: Mapping[str, float]) -> None:
        for address, value in values.items():
            if address in self._bus:
                self._bus.post(address, value, MEMORY)

    def _move(self, moving: Mapping[str, Modulation | None]) -> None:
        for address, modulation in moving.items():
            self._modulations.set(address, modulation, MEMORY)

    def keep(self, dt: float) -> None:
        """Let time pass, in seconds: now and then it is written down, where anything is new."""
        self._passed += dt
        if self._file is None or self._passed < _EVERY:
            return
        self._passed = 0.0
        scene, piece, held = self._evening.on
        moved = {a: self._bus.target(a) for a, what in self._bus if self._by_hand(a, what)}
        moved |= self._presets.going
        at, passed = self._evening.place
        now = Moment(
            scene=scene, piece=piece, held=held, at=at, seconds=passed // _STEP * _STEP,
            moved=moved, covered=self._evening.worn.covered, dark=self._lights.switched_off,
            moving=self._modulations.by_hand, moving_covered=self._modulations.worn.covered,
            dressed=self._evening.dressed,
        ).model_dump()  # fmt: skip
        if now == self._kept:
            return
        try:
            replace(self._file, json.dumps(now))
        except OSError as error:  # a full disk
            why = error.strerror or str(error)
            self._complaints.once(why, lambda: f"what is on cannot be kept for a restart: {why}")
        else:
            self._kept = now

    def _by_hand(self, address: str, what: object) -> bool:
        sensed = address.startswith(("/sound/", "/sight/"))  # of this moment, whoever sends it
        return isinstance(what, Param) and by_hand(self._bus.moved_by(address)) and not sensed

    def _read(self) -> Moment | None:
        if self._file is None or not self._file.exists():
            return None
        try:
            return Moment.model_validate(json.loads(self._file.read_text("utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            log.warning("what was on cannot be taken up again: %s", str(error).splitlines()[0])
            return None
