"""What the overlay says: every parameter on the bus, where it stands, what moves it."""

from __future__ import annotations

from installation.control.keyboard import Keyboard
from installation.engine.show import Show
from installation.modulation import Modulations
from installation.output.offscreen import Offscreen
from installation.output.overlay import Overlay, Row
from installation.output.window import Window
from installation.parameters import Bus, Param


class Desk:
    """Draws the overlay over the picture while it is `on`; a file gets none."""

    def __init__(
        self,
        window: Window | Offscreen,
        keyboard: Keyboard,
        modulations: Modulations,
        on: bool,
    ) -> None:
        self.on = on
        self._window, self._keyboard, self._modulations = window, keyboard, modulations
        self._overlay = Overlay(window.ctx) if isinstance(window, Window) else None

    def draw(self, show: Show, news: str) -> None:
        """news: the most pressing thing there is to say."""
        if self._overlay is None or not self.on:
            return
        fps, player = f"{show.stats.recent_fps():.0f} fps", show.player
        sharp = f"upscaler {player.upscaler or '…'}"
        facts = " · ".join([show.scene.name, player.card.name, fps, sharp])
        shown = rows(show.bus, self._modulations, self._keyboard.selected)
        self._overlay.draw(self._window.screen, self._window.size, [facts, news], shown)

    def release(self) -> None:
        if self._overlay is not None:
            self._overlay.release()


def rows(bus: Bus, modulations: Modulations, selected: str) -> list[Row]:
    """One row per address, in the order in which the arrow keys go through them."""
    return [row(bus, modulations, address, address == selected) for address, _ in bus]


def row(bus: Bus, modulations: Modulations, address: str, selected: bool = False) -> Row:
    what, moving = bus[address], modulations.of(address)
    moved_by = " ".join(filter(None, (str(moving or ""), bus.moved_by(address))))
    if not isinstance(what, Param):
        return Row(address, "press", None, moved_by, selected)
    value = bus.value(address)
    text = f"{value:.3g} {what.unit}".strip()
    return Row(address, text, round(what.to_unit(value), 3), moved_by, selected)
