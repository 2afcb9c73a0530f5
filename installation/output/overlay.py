"""The overlay (Tab): every parameter, where it stands, and what moves it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import pygame

from installation.output.lettering import Lettering

_INK, _DIM, _HOT = (235, 235, 230), (150, 150, 145), (255, 190, 90)
_PAPER = (12, 12, 14, 205)
_EVERY = 0.1  # seconds between two drawings of the text

# not an artist's shader: it copies the texture, pixel by pixel
_CORNERS = """#version 330 core
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""
_TEXELS = """#version 330 core
uniform sampler2D source;
out vec4 color;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    if (any(greaterThanEqual(at, textureSize(source, 0)))) discard;
    color = texelFetch(source, at, 0);
}
"""


@dataclass(frozen=True)
class Row:
    """One parameter as the overlay shows it. fraction: where it stands in its range, 0 to 1."""

    address: str
    value: str
    fraction: float | None
    moved_by: str = ""
    selected: bool = False


class Overlay:
    """Text and sliders drawn with pygame, laid over the picture as one texture."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = ctx.program(vertex_shader=_CORNERS, fragment_shader=_TEXELS)
        self._vao = ctx.vertex_array(self._program, [])
        self._letters: Lettering | None = None
        self._line = 0  # pixels that it was made for
        self._texture: moderngl.Texture | None = None
        self._drawn: tuple[object, ...] = ()
        self._next = 0.0

    def draw(
        self,
        screen: moderngl.Framebuffer,
        size: tuple[int, int],
        head: Sequence[str],
        rows: Sequence[Row],
    ) -> None:
        """Lay the overlay over the screen. Text is drawn anew when it has changed, and only some
        times a second: drawing it costs more than the eye gains."""
        now = (size, tuple(head), tuple(rows))
        moment = time.perf_counter()
        if self._texture is None or (now != self._drawn and moment >= self._next):
            self._drawn, self._next = now, moment + _EVERY
            self._upload(self._paint(size, head, rows))
        assert self._texture is not None  # noqa: S101 - set by _upload
        screen.use()
        self._ctx.enable(moderngl.BLEND)
        self._ctx.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._texture.use(0)
        self._program["source"] = 0
        self._vao.render(moderngl.TRIANGLES, vertices=3)
        self._ctx.disable(moderngl.BLEND)

    def _upload(self, surface: pygame.Surface) -> None:
        size = surface.get_size()
        if self._texture is None or self._texture.size != size:
            if self._texture is not None:
                self._texture.release()
            self._texture = self._ctx.texture(size, 4)
        self._texture.write(pygame.image.tobytes(surface, "RGBA", True))

    def _paint(
        self, size: tuple[int, int], head: Sequence[str], rows: Sequence[Row]
    ) -> pygame.Surface:
        width, height = size
        line = max(14, min(24, height // 44))
        if self._letters is None or self._line != line:
            self._letters, self._line = Lettering(line), line
        panel = min(width, line * 34)
        surface = pygame.Surface((panel, height), pygame.SRCALPHA)
        surface.fill(_PAPER)
        y = line // 2
        for text in head:
            self._letters.write(surface, text, (line, y), _INK)
            y += line
        y += line // 2
        for row in _page(rows, max(1, (height - y) // line)):
            self._paint_row(surface, row, y, line, panel)
            y += line
        return surface

    def _paint_row(self, surface: pygame.Surface, row: Row, y: int, line: int, width: int) -> None:
        assert self._letters is not None  # noqa: S101 - made by _paint
        ink = _HOT if row.selected else _INK
        bar = pygame.Rect(int(width * 0.46), y + line // 4, int(width * 0.16), line // 3)
        self._letters.write(surface, row.address, (line, y), ink)
        if row.fraction is not None:
            pygame.draw.rect(surface, _DIM, bar, 1)
            filled = bar.copy()
            filled.width = round(bar.width * min(max(row.fraction, 0), 1))
            pygame.draw.rect(surface, ink, filled)
        self._letters.write(surface, row.value, (bar.right + line // 2, y), ink)
        self._letters.write(surface, row.moved_by, (int(width * 0.8), y), _DIM)

    def release(self) -> None:
        self._vao.release()
        self._program.release()
        if self._texture is not None:
            self._texture.release()


def _page(rows: Sequence[Row], fits: int) -> Sequence[Row]:
    """The rows around the selected one, if not all fit."""
    chosen = next((i for i, row in enumerate(rows) if row.selected), 0)
    first = min(max(0, chosen - fits // 2), max(0, len(rows) - fits))
    return rows[first : first + fits]
