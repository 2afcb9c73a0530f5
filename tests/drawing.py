"""A test picture, drawn by code, and the road of a picture through the GPU and back."""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.engine.compose import Present
from installation.engine.textures import Target

Linear = NDArray[np.float32]  # (height, width, 3), first row at the bottom


def face_card(side: int = 128) -> NDArray[np.uint8]:
    """A face in a room: even ground, soft and hard edges, strong colours, black and white.

    (side, side, 3) uint8, first row at the top; it has no symmetry, so that a turn is seen.
    """
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    card = np.stack([0.55 + 0.25 * x, 0.5 - 0.1 * y, 0.5 - 0.2 * x * y], -1)

    def paint(where: NDArray[np.bool_], colour: tuple[float, float, float]) -> None:
        card[where] = colour

    paint((x / 0.55) ** 2 + (y / 0.8) ** 2 < 1, (0.62, 0.2, 0.12))
    paint((x / 0.55) ** 2 + (y / 0.8) ** 2 + 0.6 * (y > -0.3) < 1, (0.75, 0.55, 0.2))
    for side_x in (-0.2, 0.2):
        paint(((x - side_x) / 0.14) ** 2 + ((y + 0.15) / 0.07) ** 2 < 1, (0, 0, 0))
    paint((abs(x) < 0.06) & (abs(y - 0.1) < 0.2), (0.95, 0.9, 0.8))
    paint(((x - 0.75) / 0.12) ** 2 + ((y + 0.7) / 0.12) ** 2 < 1, (1, 1, 1))
    paint((x < -0.8) & (y > 0.5), (0.1, 0.25, 0.8))
    return np.round(np.clip(card, 0, 1) * 255).astype(np.uint8)


def linear_target(ctx: moderngl.Context, picture: Linear) -> Target:
    """A half-float target that holds the picture."""
    height, width = picture.shape[:2]
    target = Target(ctx, (width, height))
    whole = np.concatenate([picture, np.ones((height, width, 1))], -1).astype(np.float16)
    target.texture.write(whole.tobytes())
    return target


def read(ctx: moderngl.Context, texture: moderngl.Texture) -> Linear:
    """What is in a texture."""
    framebuffer = ctx.framebuffer([texture])
    data = framebuffer.read(components=3, dtype="f4", alignment=1)
    framebuffer.release()
    return np.frombuffer(data, np.float32).reshape(texture.height, texture.width, 3)


def encoded(ctx: moderngl.Context, texture: moderngl.Texture, time: float = 0.0) -> NDArray:
    """What a screen would show: (height, width, 3) uint8, first row at the top."""
    target, present = Target(ctx, texture.size, "f1"), Present(ctx)
    present.render(texture, target.framebuffer, time)
    data = target.framebuffer.read(components=3, alignment=1)
    target.release()
    present.release()
    return np.frombuffer(data, np.uint8).reshape(texture.height, texture.width, 3)[::-1]
