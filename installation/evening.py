"""Which scene is on, with which piece: by the clock of the setlist, or by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from installation import scene as scenes
from installation.engine.show import Show
from installation.modulation import Modulations
from installation.programme import Programme
from installation.setlist import PLAIN, Entry
from installation.sources import Dress, moved_by_hand_now
from shaders import ShaderError

log = logging.getLogger(__name__)

Dressed = tuple[int, str]  # the number of an entry of the setlist, from 0, and its scene
_IN_NOTHING: Dressed = (0, "")


@dataclass(frozen=True)
class _Cue:
    """What is to come on. entry: of the setlist, whose parameters it is dressed in. piece: "" for
    the one that is on. chosen: a hand has named that piece. dressed: it keeps what it wears."""

    file: str
    entry: Entry | None = None
    transition: str = PLAIN
    fade: float = 0.0
    piece: str = ""
    chosen: bool = False
    dressed: bool = False


class Evening:
    """Follows the setlist until a hand chooses; /stage/next gives it back to the setlist.

    What is chosen comes on with the next follow(): of a hundred messages in one frame the last
    would be seen, so no other is made. hold: wait for the hand from the start. changed: called
    after a scene was put on.
    """

    def __init__(
        self,
        program: Programme,
        show: Show,
        modulations: Modulations,
        hold: bool,
        changed: Callable[[], None],
    ) -> None:
        self._program, self._show, self._changed = program, show, changed
        self._modulations = modulations
        self._order, self._hold = program.order.scene, hold
        self._at, self._time = 0, 0.0
        self.dressed = _IN_NOTHING  # in which entry's; a preset or a piece by hand changes nothing
        self._cue: _Cue | None = None
        self.fault = ""  # why what was wanted last has not come on
        self._refused: _Cue | None = None  # what that is, where a file that is saved may mend it
        bus = show.bus
        self.worn = Dress[float](lambda a: (bus.target(a), bus.moved_by(a)), bus.post)

    @property
    def on(self) -> tuple[str, str, bool]:
        """The scene and the piece that are on or coming on, by name, and whether a hand chose."""
        names = {player: name for name, player in self._show.players.items()}
        return self._show.scene.name, names.get(self._show.player, ""), self._hold

    @property
    def pieces(self) -> list[str]:
        """The names of the pieces that can be put on."""
        return list(self._show.players)

    @property
    def place(self) -> tuple[int, float]:
        """Which entry of the setlist it has come to, from 0, and for how many seconds that has
        been on."""
        return self._at, self._time

    def open(
        self,
        scene: str,
        piece: str = "",
        held: bool | None = None,
        place: tuple[int, float] = (0, 0.0),
        dressed: Dressed | None = None,
    ) -> None:
        """The first scene. held, place, dressed: as they were, the first in the stead of `hold`,
        the last in that of the scene's own entry. Raises SceneError or ShaderError."""
        there = place[0] < len(self._order)  # the setlist may be another today
        if there:
            self._at, self._time = place
        first = scene or self._order[0].scene
        worn = [one for n, one in enumerate(self._order) if (n, one.scene) == dressed]
        kept = there and (worn or dressed == _IN_NOTHING)
        entry = next(iter(worn), None) if kept else self._find(first)
        self._hold = self._hold if held is None else held
        piece = piece or (self._program.piece_of(entry) if entry else "")
        try:
            self._show.cue(first, piece=piece)
            self._dress(entry)
        except (scenes.SceneError, ShaderError) as error:
            if not self._program.unattended or not self._begin_with_another():
                raise
            log.error("left out: %s", error)

    def _begin_with_another(self) -> bool:
        """Go on in the setlist to the first entry that starts; False where none does."""
        for _ in self._order:
            self._at, self._time = (self._at + 1) % len(self._order), 0.0
            entry = self._order[self._at]
            try:
                self._show.cue(entry.scene, piece=self._program.piece_of(entry))
            except (scenes.SceneError, ShaderError):  # said as its turn comes
                continue
            self._dress(entry)
            return True
        return False

    def follow(self, dt: float) -> None:
        """Let time pass: the next of the setlist, where this one's time is up.

        Raises what kept the last piece there is from being painted.
        """
        self._leave_out_the_broken()
        if not self._hold:
            self._time += dt
            if self._time >= self._order[self._at].seconds:
                self.next()
                self._stay_on()
        if self._cue is not None:
            cue, self._cue = self._cue, None
            self._put_on(cue)

    def next(self) -> None:
        """The next scene of the setlist."""
        self._at = (self._at + 1) % len(self._order)
        self._time, self._hold = 0.0, not self._program.venue.play.advance
        entry = self._order[self._at]
        piece = self._program.piece_of(entry)
        self._cue = _Cue(entry.scene, entry, entry.transition, entry.fade, piece)

    def _stay_on(self) -> None:
        """Where the next is the one that is on, as in a setlist of one scene, or of which no other
        starts: it does not begin anew."""
        cue = self._cue
        if cue is None or self.dressed != (self._at, cue.file):
            return
        if self._shows(cue.file, cue.piece):
            self._cue, self.fault = None, ""

    def scene(self, file: str, fade: float) -> None:
        """A scene chosen by hand, with the parameters of its place in the setlist, and the piece of
        that or one that a hand has chosen in the same frame, before or after."""
        self._hold = True
        entry = self._find(file)
        chosen = self._cue.piece if self._cue is not None and self._cue.chosen else ""
        piece = chosen or (self._program.piece_of(entry) if entry else "")
        self._cue = _Cue(file, entry, fade=fade, piece=piece, chosen=bool(chosen))

    def as_it_was(self, file: str, piece: str, fade: float) -> bool:
        """A scene with its piece, called up again by hand, in what the faders say and not in what
        the setlist would dress it in. False where that is on already, so that nothing changes."""
        self._hold = True
        if self._cue is None and self._shows(file, piece):
            self.fault = ""  # nothing else is wanted any more
            return False
        self._cue = _Cue(file, fade=fade, piece=piece, dressed=True)
        return True

    def _shows(self, file: str, piece: str) -> bool:
        """Whether a scene is on, or coming on, with its piece."""
        wanted = self._show.players.get(piece, self._show.player)
        return (self._show.scene.file, self._show.player) == (file, wanted)

    def piece(self, name: str, fade: float) -> None:
        """Another piece under the scene that is on."""
        if name not in self._show.players:
            self._refuse(f"{name} could not be opened; {self._show.player.card.name} stays on")
            return
        self._hold = True
        on = self._cue or _Cue(self._show.scene.file, dressed=True)
        self._cue = replace(on, fade=fade, piece=name, chosen=True)

    def next_piece(self, fade: float) -> None:
        """The piece after the one that is on, in the order in which the setlist names them."""
        names = list(self._show.players)
        if len(names) < 2:
            log.info("there is no other piece; a setlist may name several")
            return
        on = list(self._show.players.values()).index(self._show.player)
        if self._cue is not None and self._cue.piece in names:
            on = names.index(self._cue.piece)
        self.piece(names[(on + 1) % len(names)], fade)

    def _find(self, file: str) -> Entry | None:
        """Go on in the setlist from this scene and return its entry, if it is there; else from
        where it was."""
        names = [entry.scene for entry in self._order]
        if file not in names:
            return None
        if file != names[self._at]:
            self._at = names.index(file)
        return self._order[self._at]

    def _put_on(self, cue: _Cue) -> bool:
        """A scene that does not start leaves all as it is: False."""
        try:
            self._show.cue(cue.file, cue.transition, cue.fade, cue.piece)
        except (scenes.SceneError, ShaderError) as error:
            self._refuse(f"{error}; {self._show.scene.name} stays on", cue)
            return False
        else:
            self.fault = ""
            if not cue.dressed:
                asked = cue.entry.parameters if cue.entry else ()
                self._dress(cue.entry, [a for a in asked if moved_by_hand_now(self._show.bus, a)])
            return True
        finally:
            self._changed()

    def _refuse(self, why: str, cue: _Cue | None = None) -> None:
        self.fault, self._refused = why, cue
        log.error("%s", why)

    def look_again(self) -> None:
        """Files were saved: is it still true that the scene that was wanted last does not start?"""
        cue = self._refused
        if not self.fault or cue is None:
            return
        try:
            self._show.try_out(cue.file, cue.piece)
        except (scenes.SceneError, ShaderError) as error:
            self._refuse(f"{error}; {self._show.scene.name} stays on", cue)
        else:
            self.fault = ""

    def _leave_out_the_broken(self) -> None:
        """Go on without a piece that cannot be painted: the same scene with another, or else any
        scene that starts with one that is left."""
        for name, player in list(self._show.players.items()):
            if player.fault is None:
                continue
            others = [other for other in self._show.players if other != name]
            if not others:
                raise player.fault
            log.error("%s cannot be played, the show goes on without: %s", name, player.fault)
            if self._show.player is player and not self._replace(others):
                raise player.fault
            self._show.forget(name)

    def _replace(self, pieces: Sequence[str]) -> bool:
        """Put on something else with one of these pieces; False where nothing starts."""
        cues = [_Cue(self._show.scene.file, piece=piece, dressed=True) for piece in pieces]
        cues += [_Cue(one.scene, one, piece=piece) for one in self._order for piece in pieces]
        cues += [_Cue(name, piece=piece) for name in scenes.shipped() for piece in pieces]
        return any(self._put_on(cue) for cue in cues)

    def _dress(self, entry: Entry | None, spared: Collection[str] = ()) -> None:
        """Set what the entry asks for, but for what is spared."""
        bus = self._show.bus
        worn = [(n, one.scene) for n, one in enumerate(self._order) if one is entry]
        self.dressed = worn[0] if worn else _IN_NOTHING
        self.worn.change(self._program.moved_by(entry, bus) if entry else {}, spared)
        self._modulations.dress(self._program.modulated_by(entry, bus) if entry else {})
