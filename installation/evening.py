"""Which scene is on, with which piece: by the clock of the setlist, or by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable

from installation import scene as scenes
from installation.engine.show import Show
from installation.programme import Programme
from shaders import ShaderError

log = logging.getLogger(__name__)


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

    def open(self, scene: str) -> None:
        """The first scene. Raises SceneError or ShaderError."""
        self._find(scene or self._order[0].scene)
        first = scene or self._order[0].scene
        self._show.cue(first, piece=self._piece_for(first))

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
        self._cue(entry.scene, entry.transition, entry.fade, self._program.piece_of(entry))

    def scene(self, file: str, fade: float) -> None:
        """A scene chosen by hand, on the piece of its place in the setlist."""
        self._hold = True
        self._find(file)
        self._cue(file, fade=fade, piece=self._piece_for(file))

    def piece(self, name: str, fade: float) -> None:
        """Another piece under the scene that is on."""
        if name not in self._show.players:
            log.error("%s could not be opened; %s stays on", name, self._show.player.card.name)
            return
        self._hold = True
        self._cue(self._show.scene.file, fade=fade, piece=name)

    def next_piece(self, fade: float) -> None:
        """The piece after the one that is on, in the order in which the setlist names them."""
        names, players = list(self._show.players), list(self._show.players.values())
        if len(names) < 2:
            log.info("there is no other piece; a setlist may name several")
            return
        self.piece(names[(players.index(self._show.player) + 1) % len(names)], fade)

    def _find(self, file: str) -> None:
        """Go on in the setlist from this scene, if it is there; else from where it was."""
        names = [entry.scene for entry in self._order]
        if file != names[self._at] and file in names:
            self._at = names.index(file)

    def _piece_for(self, file: str) -> str:
        entry = self._order[self._at]
        return self._program.piece_of(entry) if entry.scene == file else ""

    def _cue(
        self, file: str, transition: str = "mix/dissolve", fade: float = 0.0, piece: str = ""
    ) -> None:
        """Put on a scene; one that does not start leaves the stage as it is."""
        try:
            self._show.cue(file, transition, fade, piece)
        except (scenes.SceneError, ShaderError) as error:
            log.error("%s; %s stays on", error, self._show.scene.name)
        self._changed()
