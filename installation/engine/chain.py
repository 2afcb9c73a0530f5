"""Networks one after the other, as one: ×2 and then ×3 is ×6."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import moderngl

from installation.engine.upscale import ShaderUpscaler
from models.upscaler import Upscaler


def cost(networks: Sequence[Upscaler]) -> int:
    """Multiply-adds for each pixel of the first frame: a later network works on more of them."""
    total, area = 0, 1
    for network in networks:
        total += area * network.macs
        area *= network.scale**2
    return total


def scale(networks: Sequence[Upscaler]) -> int:
    return math.prod(network.scale for network in networks)


class Chain:
    """One or more networks in one back end. size (width, height): of the first one's frames."""

    def __init__(
        self,
        ctx: moderngl.Context,
        networks: Sequence[Upscaler],
        size: tuple[int, int],
        kind: type[ShaderUpscaler],
    ) -> None:
        self.ctx, self.backend, self.macs = ctx, kind.backend, cost(networks)
        self.strength = 1.0  # live, of each
        self._links: list[ShaderUpscaler] = []
        try:
            for network in networks:
                self._links.append(kind(ctx, network, size))
                size = self._links[-1].output.size
        except BaseException:
            self.release()
            raise

    @property
    def passes(self) -> int:
        return sum(link.passes for link in self._links)

    def render(self, frame: moderngl.Texture) -> moderngl.Texture:
        """As ShaderUpscaler.render(), through all of them."""
        for link in self._links:
            link.strength = self.strength
            frame = link.render(frame)
        return frame

    def warm(self) -> Iterator[None]:
        """As ShaderUpscaler.warm()."""
        for link in self._links:
            yield from link.warm()

    def release(self) -> None:
        for link in self._links:
            link.release()
        self._links.clear()
