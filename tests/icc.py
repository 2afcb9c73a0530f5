"""Colour profiles as small as they can be, written byte by byte, and what they mean."""

from __future__ import annotations

import struct

import numpy as np

GAMMA = 2.19921875  # of Adobe RGB (1998); a profile stores 256ths
_ADOBE = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322],
                   [0.01947, 0.06087, 0.74457]])  # fmt: skip
_SRGB = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
                  [0.0139322, 0.0971045, 0.7141733]])  # both to XYZ under D50  # fmt: skip


def adobe() -> bytes:
    """Adobe RGB (1998), wider than sRGB in green."""
    curve = _curve(GAMMA)
    columns = zip((b"rXYZ", b"gXYZ", b"bXYZ"), _ADOBE.T, strict=True)
    tags = {name: _xyz(*column) for name, column in columns}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | dict.fromkeys(_CURVES, curve))


def adobe_in_srgb(colour: tuple[int, int, int]) -> np.ndarray:
    """The colour (3,) that Adobe RGB means, in sRGB from 0 to 255."""
    light = np.linalg.inv(_SRGB) @ _ADOBE @ (np.array(colour) / 255) ** GAMMA
    return _encoded(light)


def grey(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def grey_in_srgb(shade: int, gamma: float) -> float:
    return float(_encoded(np.array((shade / 255) ** gamma)))


def ink() -> bytes:
    """A press on which only black ink shows: CMYK to grey in Lab, by a table."""
    ramp = bytes(range(256))
    corners = b"".join(bytes((255 * (1 - k), 128, 128)) for _ in range(8) for k in (0, 1))
    matrix = b"".join(_fixed(value) for value in np.eye(3).ravel())
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + 4 * ramp + corners + 3 * ramp
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


_CURVES = (b"rTRC", b"gTRC", b"bTRC")


def _encoded(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in values)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(kind: bytes, space: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = (0.9642, 1.0, 0.8249)
    tags = {b"wtpt": _xyz(*white), **tags}
    index, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        index += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I", start + len(body)) + bytes(4) + struct.pack(">I", 0x02100000)
    head += kind + space + between + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(_fixed(value) for value in white)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + index + body
