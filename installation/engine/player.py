"""One piece as it is played: the stream that paints it and the upscaler that enlarges it.

A show may have several; each paints for the layers that are on with its piece, and rests while none
is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import moderngl
import numpy as np

from installation.clock import Frame
from installation.engine.layer import Layer
from installation.engine.played import alike
from installation.engine.shared import Frames
from installation.engine.stream import Inline, Picture, Stream
from installation.engine.walk import LatentSpace, bend, follow, steer
from installation.parameters import Bus
from models.card import Card
from models.latent import Vector

if TYPE_CHECKING:
    from installation.engine.tiers import Tiers

Timed = Callable[..., AbstractContextManager[None]]  # (station, tell=None): see Show


class Player:
    """slowest: seconds that a frame of the show may take before the upscaler is made cheaper;
    chosen: points that its seeds are."""

    def __init__(
        self,
        ctx: moderngl.Context,
        card: Card,
        stream: Stream | Inline,
        seed: int = 0,
        slowest: float = 1 / 30,
        chosen: Sequence[Vector] = (),
    ) -> None:
        self.card, self.stream = card, stream
        self.space = LatentSpace(card.latent, seed, chosen, card.guided)
        self.upscaler: Tiers | None = None  # made when the piece's weights are there
        self._ctx, self._slowest = ctx, slowest
        self._frames = Frames(ctx)
        self._warming: Iterator[None] | None = None
        self._seen = 0

    @property
    def at_once(self) -> bool:
        """It paints when asked, as nobody is watching: no need to spread work over frames."""
        return isinstance(self.stream, Inline)

    @property
    def fault(self) -> Exception | None:
        """What kept the stream from opening the piece, or ended it: it had passed its check."""
        return self.stream.error if self.stream.painter is None else None

    def warm(self, side: int) -> bool:
        """Choose the upscaler as soon as the weights are there, one of its shaders a call. side:
        of the picture that is wanted, pixels. True when all is ready to show the piece.
        """
        if self.stream.painter is None:
            return False
        if self.upscaler is None:
            self.upscaler = self._make_upscaler(side)
            self._warming = self.upscaler.choose()
        while self._warming is not None:
            if next(self._warming, True):
                self._warming = None
            if not self.at_once:
                break
        return self._warming is None

    def _make_upscaler(self, side: int) -> Tiers:
        """Whatever networks there are for this piece, at the scale that the picture needs."""
        from installation.engine.tiers import Tiers, rungs  # brings torch: after the first picture

        own = getattr(self.stream.painter, "upscaler", None)
        found = rungs(own, side / self.card.resolution)
        size = (self.card.resolution, self.card.resolution)
        return Tiers(self._ctx, found, size, None if self.at_once else self._slowest)

    def request(self, frame: Frame, layers: Sequence[Layer], seen: bool = True) -> None:
        """Walk, and ask for a picture of where each layer is now; of what is not seen, only until
        there is one."""
        points = [self._played(one, frame) for one in layers]
        if self.stream.painter is not None:
            self.stream.painter.toward = layers[-1].fader("/piece/toward")
        if not seen and all(one.ready for one in layers):
            return
        # a scene that comes or goes may be guided or bent alone
        self.stream.request(alike(points, self.card.latent.width), tuple(layers))

    def _played(self, layer: Layer, frame: Frame) -> Vector:
        """Where a layer is, with all that the room's faders do."""
        latent = self.card.latent
        point = steer(layer.fader, latent, layer.step(frame), self.card.directions)
        if self.space.guided:
            point = follow(layer.fader, latent, point, frame.guide)
        return np.concatenate([point, bend(layer.fader)])

    def news(self) -> tuple[Picture, int] | None:
        """The newest picture, once, and how many were painted since the one before it."""
        picture = self.stream.newest
        if picture is None or picture.number == self._seen:
            return None
        painted = 1 if self._seen == 0 else picture.number - self._seen
        self._seen = picture.number
        return picture, painted

    def hand_out(
        self, picture: Picture, on: Sequence[Layer], bus: Bus, time: float, timed: Timed
    ) -> None:
        """Enlarge a picture and give each layer its part; who has left meanwhile gets none."""
        assert self.upscaler is not None  # noqa: S101 - made by warm
        layers = picture.key if isinstance(picture.key, tuple) else ()
        for point, pixels, layer in zip(picture.points, picture.pixels, layers, strict=True):
            if layer not in on:
                continue
            with timed("upload"):
                texture = self._frames.upload(pixels)
            with timed("upscale", self.upscaler.took):
                sharp = self.upscaler.render(texture, bus.value("/light/sharpen"))
                sharp = layer.steady.render(sharp, texture, time, bus.value("/light/steady"))
                layer.arrive(sharp, point, picture.ready, picture.interval)
        if self._frames.refused and self.stream.painter is not None:
            self.stream.painter.to_host = True  # in its thread: here it would hold a frame up

    @property
    def host_copy(self) -> bool:
        """Whether pictures go through the host on their way to the screen."""
        return not self._frames.direct

    def release(self) -> None:
        """End the stream, and free what is on the GPU."""
        self.stream.close()
        self._warming = None
        self._frames.release()
        if self.upscaler is not None:
            self.upscaler.release()
