"""Frames on their way into a texture: from the host, or from the GPU that made them.

On CUDA a frame never leaves the GPU. A GL pixel buffer is registered with CUDA once; each frame is
copied into it there, and the texture takes it up. That needs the package cuda-core (the extra
`cuda`) and a GL context on the same GPU. Where either is missing one line says so, and frames go
through the host.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.engine.textures import FrameTexture

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_TURNS = 2  # buffers: one is filled while the texture may still be taking up the other


class SharedBuffer(Protocol):
    """A GL buffer that CUDA can write to."""

    def fill(self, frame: Tensor) -> None: ...

    def release(self) -> None: ...


class CudaBuffer:
    """Registers a GL buffer with CUDA. Raises whatever CUDA refuses it with, ImportError without
    cuda-core."""

    def __init__(self, buffer: moderngl.Buffer, device: int) -> None:
        import torch
        from cuda.core import Device, GraphicsResource, Stream

        Device(device).set_current()
        self._stream = torch.cuda.Stream(device)
        self._order = Stream.from_handle(self._stream.cuda_stream)
        self._resource = GraphicsResource.from_gl_buffer(buffer.glo, flags="write_discard")

    def fill(self, frame: Tensor) -> None:
        """Copy a contiguous frame of as many bytes, on the GPU. It is mapped and unmapped in one
        stream, so GL reads what was written and CUDA waits for what GL still reads."""
        import torch

        with torch.cuda.stream(self._stream), self._resource.map(stream=self._order) as mapped:
            target = torch.as_tensor(_Memory(int(mapped.handle), frame.shape), device=frame.device)
            target.copy_(frame, non_blocking=True)
            frame.record_stream(self._stream)  # its memory is not given away before

    def release(self) -> None:
        self._resource.close()


class _Memory:
    """Bytes on the GPU as torch takes them up, by Numba's CUDA array interface, version 3."""

    def __init__(self, pointer: int, shape: tuple[int, ...]) -> None:
        self.__cuda_array_interface__ = {
            "shape": tuple(shape), "typestr": "|u1", "data": (pointer, False), "version": 3,
        }  # fmt: skip


class Frames:
    """The newest frame of a generator as a texture: uint8, sRGB, first row at the top.

    share: makes a buffer CUDA's as well; another one in tests.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        share: Callable[[moderngl.Buffer, int], SharedBuffer] = CudaBuffer,
    ) -> None:
        self._ctx, self._share = ctx, share
        self._host = FrameTexture(ctx)
        self._texture: moderngl.Texture | None = None
        self._buffers: list[moderngl.Buffer] = []
        self._shared: list[SharedBuffer] = []
        self._turn = 0
        self.direct = False  # the last frame did not go through the host
        self.refused = False  # none can be had any other way

    def upload(self, frame: NDArray[np.uint8] | Tensor) -> moderngl.Texture:
        """A frame (height, width, 4) from the host or on the GPU. The texture is the same while
        the size stays."""
        if isinstance(frame, np.ndarray):
            self.direct = False
            return self._host.upload(frame)
        if not self.refused:
            try:
                self.direct = True
                return self._across(frame)
            except Exception as error:  # noqa: BLE001 - whatever the driver says, the host remains
                log.warning("frames go through the host: %s", str(error).splitlines()[0])
                self._free()
                self.refused, self.direct = True, False
        return self._host.upload(frame.cpu().numpy())

    def _across(self, frame: Tensor) -> moderngl.Texture:
        height, width, components = frame.shape
        if self._texture is None or self._texture.size != (width, height):
            self._free()
            self._texture = self._ctx.texture((width, height), components, alignment=1)
            self._texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            self._texture.repeat_x = self._texture.repeat_y = False
            for _ in range(_TURNS):
                self._buffers.append(self._ctx.buffer(reserve=width * height * components))
                self._shared.append(self._share(self._buffers[-1], frame.device.index or 0))
        self._turn = (self._turn + 1) % _TURNS
        self._shared[self._turn].fill(frame)
        self._texture.write(self._buffers[self._turn], alignment=1)
        return self._texture

    def _free(self) -> None:
        for shared in self._shared:  # CUDA lets go before the buffers do
            shared.release()
        for buffer in self._buffers:
            buffer.release()
        self._shared.clear()
        self._buffers.clear()
        if self._texture is not None:
            self._texture.release()
            self._texture = None

    def release(self) -> None:
        self._free()
        self._host.release()
