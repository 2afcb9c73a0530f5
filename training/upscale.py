"""Train an upscaler in SRGAN's order (Ledig et al. 2017): pixels first, then a critic.

The first stage alone gives the best PSNR and soft edges; the second, at a small weight, makes them
decide. No network is downloaded for the feature loss: it compares activations of the critic that
is trained alongside (feature matching, pix2pixHD, Wang et al. 2018), which knows the pictures at
hand, where a VGG would know photographs of objects.

`python -m training.upscale --tier S --scale 4 --out FOLDER` draws the training pictures and makes
the general weights that ship. To fit one to a piece's own pictures, begin from those:
`Training(load_default(4), images, Recipe(pixel_steps=0)).run()`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.upscaler import SCALES, TIERS, Upscaler
from training.checkpoint import (
    CheckpointError,
    moments,
    read_state,
    restore_moments,
    write_state,
)
from training.degradation import degrade

Progress = Callable[[int, int, dict[str, float]], None]  # step, steps, losses


@dataclass(frozen=True)
class Recipe:
    """How to train. Each step sees `batch` crops of `crop` low-resolution pixels."""

    pixel_steps: int = 2500
    adversarial_steps: int = 250
    batch: int = 16
    crop: int = 24  # a multiple of 8 suits the critic's strides at any scale
    pixel_rate: float = 3e-3
    adversarial_rate: float = 2e-4
    adversarial: float = 5e-4  # weight beside the pixel loss
    feature: float = 5e-3
    seed: int = 0


class Critic(nn.Module):
    """A patch critic (Isola et al. 2017) with spectral norm (Miyato et al. 2018).

    (N, 3, H, W) → activations of every layer; the last holds the logits (N, 1, H/8, W/8).
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=1))

        self.unshuffle = nn.PixelUnshuffle(2)  # as much to see for a quarter of the work
        self.convs = nn.ModuleList(
            (
                conv(12, width, 3, 1),
                conv(width, 2 * width, 4, 2),
                conv(2 * width, 2 * width, 4, 2),
            )
        )
        self.logits = conv(2 * width, 1, 3, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        with torch.autocast(x.device.type, torch.bfloat16):
            h = self.unshuffle(x * 2 - 1)
            for layer in self.convs:
                h = F.leaky_relu(layer(h), 0.2)
                found.append(h)
            return [f.float() for f in (*found, self.logits(h))]


class Training:
    """An upscaler on its way. Every step's crops follow from the seed and the step's number.

    images: (N, H, W, 3) uint8, H and W at least crop × scale; ValueError otherwise.
    """

    def __init__(self, upscaler: Upscaler, images: NDArray[np.uint8], recipe: Recipe) -> None:
        side = recipe.crop * upscaler.scale
        if images.ndim != 4 or len(images) < 1 or min(images.shape[1:3]) < side:
            raise ValueError(f"training this upscaler needs images of {side} px or more")
        if side % 8:
            raise ValueError(f"a crop of {recipe.crop} px at ×{upscaler.scale} is no multiple of 8")
        torch.manual_seed(recipe.seed)
        self.recipe, self.images = recipe, images
        self.upscaler = upscaler.train().requires_grad_(True)
        self.average = AveragedModel(upscaler, multi_avg_fn=get_ema_multi_avg_fn(0.998))
        self.critic = Critic()
        self.optimizer = torch.optim.Adam(upscaler.parameters(), recipe.pixel_rate)
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(), 2 * recipe.adversarial_rate, betas=(0.0, 0.99)
        )
        self.step = 0

    @property
    def steps(self) -> int:
        return self.recipe.pixel_steps + self.recipe.adversarial_steps

    @property
    def result(self) -> Upscaler:
        """The moving average of the weights, ready to use."""
        found = Upscaler(**self.upscaler.kwargs)
        found.load_state_dict(self.average.module.state_dict())
        return found.eval().requires_grad_(False)

    def advance(self) -> dict[str, float]:
        """One step of the stage that is due; its losses."""
        self._set_rate()
        low, high = self._batch()
        adversarial = self.step >= self.recipe.pixel_steps
        losses = self._adversarial(low, high) if adversarial else self._pixel(low, high)
        self.average.update_parameters(self.upscaler)
        self.step += 1
        return losses

    def run(self, checkpoint: Path | None = None, progress: Progress | None = None) -> Upscaler:
        """Train to the end, going on from `checkpoint` where it exists and writing it meanwhile."""
        if checkpoint is not None and checkpoint.is_file():
            self.load(checkpoint)
        while self.step < self.steps:
            losses = self.advance()
            if progress is not None:
                progress(self.step, self.steps, losses)
            if checkpoint is not None and (self.step % 500 == 0 or self.step == self.steps):
                self.save(checkpoint)
        return self.result

    def save(self, path: Path) -> None:
        tensors = {f"network.{k}": v for k, v in self._networks().state_dict().items()}
        for name, (optimizer, network) in self._optimizers().items():
            tensors.update(moments(name, optimizer, network))
        write_state(path, tensors, {"step": self.step})

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises CheckpointError for a damaged or foreign one."""
        tensors, account = read_state(path)
        weights = {
            k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")
        }
        try:
            self._networks().load_state_dict(weights)
            self.step = int(account["step"])
        except (RuntimeError, KeyError) as error:
            raise CheckpointError(f"{path} belongs to another upscaler; take it away") from error
        for name, (optimizer, network) in self._optimizers().items():
            restore_moments(name, optimizer, network, tensors)

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict(
            {"upscaler": self.upscaler, "average": self.average, "critic": self.critic}
        )

    def _optimizers(self) -> dict[str, tuple[torch.optim.Optimizer, nn.Module]]:
        return {
            "optimizer": (self.optimizer, self.upscaler),
            "critic_optimizer": (self.critic_optimizer, self.critic),
        }

    def _set_rate(self) -> None:
        """Half a cosine down to a hundredth, in each stage."""
        first = self.recipe.pixel_steps
        if self.step < first:
            rate, done = self.recipe.pixel_rate, self.step / first
        else:
            done = (self.step - first) / max(1, self.recipe.adversarial_steps)
            rate = self.recipe.adversarial_rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Crops, turned, mirrored, colours exchanged: low (N, 3, h, w), high at scale times."""
        rng = np.random.default_rng((self.recipe.seed, self.step))
        crop = self.recipe.crop * self.upscaler.scale
        found = []
        for index in rng.integers(len(self.images), size=self.recipe.batch):
            image = self.images[index]
            y, x = (int(rng.integers(side - crop + 1)) for side in image.shape[:2])
            patch = np.rot90(image[y : y + crop, x : x + crop], int(rng.integers(4)))
            patch = patch[:, :: rng.choice((1, -1)), rng.permutation(3)]
            found.append(np.ascontiguousarray(patch.transpose(2, 0, 1)))
        high = torch.from_numpy(np.stack(found)).float() / 255
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return degrade(high, self.upscaler.scale, generator), high

    def _pixel(self, low: Tensor, high: Tensor) -> dict[str, float]:
        loss = _charbonnier(self.upscaler.unbounded(low), high)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"pixel": loss.item()}

    def _adversarial(self, low: Tensor, high: Tensor) -> dict[str, float]:
        """Relativistic pairing (Jolicoeur-Martineau 2018): each against its own original."""
        fake = self.upscaler.unbounded(low)
        real_logits, fake_logits = self.critic(high)[-1], self.critic(fake.detach())[-1]
        critic_loss = F.softplus(fake_logits - real_logits).mean()
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        self.critic.requires_grad_(False)
        with torch.no_grad():
            real = self.critic(high)
        made = self.critic(fake)
        self.critic.requires_grad_(True)
        pixel = _charbonnier(fake, high)
        adversarial = F.softplus(real[-1] - made[-1]).mean()
        feature = torch.stack(
            [
                (a - b).abs().mean() / b.abs().mean()
                for a, b in zip(made[:-1], real[:-1], strict=True)
            ]
        ).mean()
        # A critic that has only begun says nothing yet: its say grows over the first quarter.
        begun = min(1.0, 4 * (self.step - self.recipe.pixel_steps) / self.recipe.adversarial_steps)
        say = self.recipe.adversarial * adversarial + self.recipe.feature * feature
        self.optimizer.zero_grad()
        (pixel + begun * say).backward()
        self.optimizer.step()
        return {
            "pixel": pixel.item(), "adversarial": adversarial.item(),
            "feature": feature.item(), "critic": critic_loss.item(),
        }  # fmt: skip


def _charbonnier(made: Tensor, wanted: Tensor) -> Tensor:
    """L1, smooth at zero (Lai et al. 2017)."""
    return ((made - wanted).square() + 1e-6).sqrt().mean()


def ship(upscaler: Upscaler, tier: str, folder: Path, training: dict[str, Any]) -> Path:
    """Write <tier>x<scale>.safetensors and its card for models.upscaler.load_default."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: t.contiguous() for name, t in upscaler.state_dict().items()})
    name = f"{tier}x{upscaler.scale}"
    (folder / f"{name}.safetensors").write_bytes(data)
    card = {
        "upscaler": upscaler.kwargs,
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "Apache-2.0",
        "training": training,
    }
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder / f"{name}.safetensors"


def corpora() -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """The pictures behind the general weights, all drawn by code, and what to say of them."""
    from training.corpus import masks, shapes

    drawn = [shapes.draw(700, 256, seed=7), masks.draw(384, 256, seed=0)[0]]
    return np.concatenate(drawn), [
        {"corpus": "shapes", "count": 700, "size": 256, "seed": 7},
        {"corpus": "masks", "version": masks.VERSION, "count": 384, "size": 256, "seed": 0},
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.upscale", description=__doc__)
    parser.add_argument("--tier", choices=sorted(TIERS), default="S")
    parser.add_argument("--scale", type=int, choices=SCALES, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    images, said = corpora()
    recipe = Recipe(seed=chosen.seed)
    start = time.monotonic()

    def progress(step: int, steps: int, losses: dict[str, float]) -> None:
        if step % 100 == 0 or step == steps:
            figures = " ".join(f"{name} {value:.4f}" for name, value in losses.items())
            print(f"{step}/{steps} {time.monotonic() - start:.0f} s {figures}", flush=True)

    torch.manual_seed(chosen.seed)
    upscaler = Upscaler(chosen.scale, **TIERS[chosen.tier])
    checkpoint = chosen.out / f"{chosen.tier}x{chosen.scale}.checkpoint"
    trained = Training(upscaler, images, recipe).run(checkpoint, progress)
    print(ship(trained, chosen.tier, chosen.out, {"images": said, "recipe": asdict(recipe)}))


if __name__ == "__main__":
    main()
