"""An upscaler, or several one after the other, in the shaders of one back end."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl

from installation.engine.upscale import ShaderUpscaler
from models.upscaler import Chained, Upscaler


class Chain:
    """size (width, height): of the frames that come in."""

    def __init__(
        self,
        ctx: moderngl.Context,
        network: Upscaler | Chained,
        size: tuple[int, int],
        kind: type[ShaderUpscaler],
    ) -> None:
        self.ctx, self.backend, self.macs = ctx, kind.backend, network.macs
        self.strength = 1.0  # live, of each
        self._links: list[ShaderUpscaler] = []
        try:
            for link in network.links:
                self._links.append(kind(ctx, link, size))
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
