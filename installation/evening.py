"""Which scene is on, with which piece: by the clock of the setlist, or by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable

from installation import scene as scenes
from installation.engine.show import Show
from installation.programme import Programme
from installation.setlist import Entry
from shaders import ShaderError

log = logging.getLogger(__name__)

_US = "setlist"  # who moved a parameter


class Evening:
    """Follows the setlist until a hand chooses; /stage/next gives it back to the setlist.

    hold: wait for the hand from the start. changed: called after a scene was put on.
    """

    def __init__(
        self, program: Programme, show: Show, hold: bool, changed: Callable[[], None]
    ) -> None:
        self._program, self._show, self._changed = program, show, changed
        self._order, self._hold = program.order.scene, hold
        self._at, self._time = 0, 0.0
        self._before: dict[str, float] = {}  # what the entry that is on has changed

    def open(self, scene: str) -> None:
        """The first scene. Raises SceneError or ShaderError."""
        first = scene or self._order[0].scene
        entry = self._find(first)
        self._show.cue(first, piece=self._program.piece_of(entry) if entry else "")
        self._dress(entry)

    def follow(self, dt: float) -> None:
        """Let time pass: the next of the setlist, where this one's time is up."""
        self._time += dt
        if not self._hold and self._time >= self._order[self._at].seconds:
            self.next()

    def next(self) -> None:
        """The next scene of the setlist."""
        self._at = (self._at + 1) % len(self._order)
        self._time, self._hold = 0.0, not self._program.venue.play.advance
        entry = self._order[self._at]
        self._cue(entry.scene, entry, entry.transition, entry.fade)

    def scene(self, file: str, fade: float) -> None:
        """A scene chosen by hand, with the piece and parameters of its place in the setlist."""
        self._hold = True
        self._cue(file, self._find(file), fade=fade)

    def piece(self, name: str, fade: float) -> None:
        """Another piece under the scene that is on."""
        if name not in self._show.players:
            log.error("%s could not be opened; %s stays on", name, self._show.player.card.name)
            return
        self._hold = True
        self._try(lambda: self._show.cue(self._show.scene.file, fade=fade, piece=name))

    def next_piece(self, fade: float) -> None:
        """The piece after the one that is on, in the order in which the setlist names them."""
        names, players = list(self._show.players), list(self._show.players.values())
        if len(names) < 2:
            log.info("there is no other piece; a setlist may name several")
            return
        self.piece(names[(players.index(self._show.player) + 1) % len(names)], fade)

    def _find(self, file: str) -> Entry | None:
        """Go on in the setlist from this scene and return its entry, if it is there; else from
        where it was."""
        names = [entry.scene for entry in self._order]
        if file not in names:
            return None
        if file != names[self._at]:
            self._at = names.index(file)
        return self._order[self._at]

    def _cue(
        self, file: str, entry: Entry | None, transition: str = "mix/dissolve", fade: float = 0.0
    ) -> None:
        """Put on a scene as the setlist has it; one that does not start leaves all as it is."""
        piece = self._program.piece_of(entry) if entry else ""
        if self._try(lambda: self._show.cue(file, transition, fade, piece)):
            self._dress(entry)

    def _try(self, cue: Callable[[], None]) -> bool:
        try:
            cue()
        except (scenes.SceneError, ShaderError) as error:
            log.error("%s; %s stays on", error, self._show.scene.name)
            return False
        finally:
            self._changed()
        return True

    def _dress(self, entry: Entry | None) -> None:
        """Set what the entry asks for. What the one before it had set goes back to what it was,
        unless somebody has moved it since."""
        bus = self._show.bus
        before = {a: v for a, v in self._before.items() if bus.moved_by(a) == _US}
        wanted = self._program.moved_by(entry) if entry else {}
        self._before = {a: before.pop(a, bus.target(a)) for a in wanted}
        for address, value in [*before.items(), *wanted.items()]:
            bus.post(address, value, _US)
