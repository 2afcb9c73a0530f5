"""What is said of a show while it plays: in the overlay, and to the remote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from installation.capture import Capture
from installation.controls import Controls
from installation.engine.show import Show
from installation.evening import Evening
from installation.modulation import Modulations
from installation.presets import Presets
from installation.watch.lights import Lights


@dataclass(frozen=True)
class News:
    """pieces: their names, by how they stand in addresses."""

    show: Show
    evening: Evening
    presets: Presets
    modulations: Modulations
    controls: Controls
    capture: Capture
    lights: Lights
    pieces: Mapping[str, str]

    @property
    def first(self) -> str:
        """The most pressing thing there is to say."""
        said = [self.show.scene.fault, self.presets.news, self.controls.news, self.lights.news]
        said.append("recording" if self.capture.recording else "")
        # these stay until something is asked for
        said += [self.evening.fault, self.capture.fault]
        return next(filter(None, said), "")

    def all(self) -> dict[str, str]:
        """What is on, for whoever looks from elsewhere. lit: the triggers of what is on. stored:
        those of the presets that hold something. moving: what moves by itself, and how."""
        scene, piece, held = self.evening.on
        slug = next((slug for slug, name in self.pieces.items() if name == piece), "")
        lit = {
            f"/stage/scene/{scene}": True,
            f"/stage/piece/{slug}": True,
            "/stage/black": self.lights.switched_off,
            "/stage/record": self.capture.recording,
            "/preset/store": self.presets.storing,
        }
        there, moving = self.show.bus, self.modulations.moving
        return {
            "scene": scene,
            "piece": piece,
            "by": "by hand" if held else "by the setlist",
            "fps": f"{self.show.stats.recent_fps():.0f} fps",
            "news": self.first,
            "lit": " ".join(a for a, whether in lit.items() if whether and a in there),
            "moving": " ".join(f"{a}={one.code}" for a, one in moving.items()),
            "stored": " ".join(f"/preset/{number}" for number in self.presets.stored),
        }
