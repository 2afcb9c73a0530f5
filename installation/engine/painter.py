"""The generator at work: latent points in, uint8 pictures out. Imports torch when first used."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.latent import BEND, GUIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from models.toward import Toward

log = logging.getLogger(__name__)

# (N, S, S, 4) uint8: sRGB and an opaque alpha, first row at the top. Where the generator runs on a
# GPU they stay there.
Pixels: TypeAlias = "NDArray[np.uint8] | torch.Tensor"


class Painter:
    """A piece's generator on the fastest device there is.

    kin: the folder of a piece to whose weights its own can go; `toward` says how far, 0 to 1.
    Raises models.card.PieceError when a piece is damaged.
    """

    def __init__(self, folder: Path, device: str = "", kin: Path | None = None) -> None:
        import torch

        from models.piece import load

        if not device:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":
            # one core is left to the renderer: with all of them the display would stutter
            torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
        loaded = load(folder)
        self.card = loaded.card
        self.device = torch.device(device)
        self.upscaler: torch.nn.Module | None = loaded.upscaler
        self.to_host = self.device.type != "cuda"  # pictures come back as numpy arrays
        self.generator = loaded.generator.to(self.device)
        self.toward = 0.0
        self._way = self._way_to(kin) if kin is not None else None
        self._captured: dict[torch.Size, Callable[[torch.Tensor], torch.Tensor]] = {}
        self.seconds = 0.0  # what the last picture took
        # first runs are slow, and those that are guided or bent are captured apart
        for guide in (0, GUIDE**2) if self.card.guided else (0,):
            for bend in (0, len(BEND)):
                self.paint(np.zeros((1, self.card.latent.width + guide + bend), np.float32))

    def _way_to(self, kin: Path) -> Toward | None:
        from models.card import PieceError
        from models.piece import load
        from models.toward import KIN, Toward

        try:
            other = load(kin)
        except PieceError as error:  # it was whole when it was checked; the piece itself is
            log.error("%s goes nowhere: %s", self.card.name, error)
            return None
        way = Toward(
            self.generator, other.generator.to(self.device), other.card.latent == self.card.latent
        )
        if way.kinship < KIN:
            log.warning(
                "%s and %s are not kin (neither was trained from the other): between them the "
                "pictures fall apart", self.card.name, other.card.name,
            )  # fmt: skip
        return way

    @property
    def device_name(self) -> str:
        import torch

        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"

    def paint(self, points: NDArray[np.float32]) -> Pixels:
        """points (N, width) → (N, S, S, 4) uint8, finished. Points that are guided, or bend the
        generator, are longer, as models.latent says."""
        import torch

        started = time.perf_counter()
        if self._way is not None:
            self._way.go(self.toward)
        with torch.inference_mode():
            latent = torch.from_numpy(points).to(self.device)
            picture = self._work(latent)(latent)
            if self.device.type == "cuda":
                torch.cuda.current_stream(self.device).synchronize()
            out = picture.cpu().numpy() if self.to_host else picture
        self.seconds = time.perf_counter() - started
        return out

    def _work(self, latent: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """What draws so many points: on CUDA one captured graph for each number of them, and for
        those that are guided or bend the generator."""
        if self.device.type != "cuda":
            return self._draw
        shape = latent.shape
        if shape not in self._captured:
            from installation.engine.captured import Captured

            try:
                self._captured[shape] = Captured(self._draw, latent)
            except RuntimeError as error:
                log.info("the generator runs without a CUDA graph: %s", str(error).splitlines()[0])
                self._captured[shape] = self._draw
        return self._captured[shape]

    def _draw(self, latent: torch.Tensor) -> torch.Tensor:
        return self._to_bytes(self.generator(latent))

    @staticmethod
    def _to_bytes(picture: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) in [-1, 1] → (N, S, S, 4) uint8; done on the device, a quarter to copy."""
        import torch

        scaled = (picture.float() * 127.5 + 127.5).round_().clamp_(0, 255).to(torch.uint8)
        out = torch.full(
            (len(scaled), *scaled.shape[2:], 4), 255, dtype=torch.uint8, device=scaled.device
        )
        out[..., :3] = scaled.permute(0, 2, 3, 1)
        return out
