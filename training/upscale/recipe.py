"""How to fit an upscaler: a TOML file whose first line is `trains = "upscaler"`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.upscaler import CHAINS, TIERS


class UpscaleRecipe(BaseModel):
    """Every choice of an upscaler's training. What was measured: training/MEASUREMENTS.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trains: Literal["upscaler"] = Field("upscaler", description="What this recipe is of.")
    about: str = Field("", description="What this recipe is for, in a sentence.")
    # The network.
    tier: Literal["T", "S", "M", "L"] = Field(
        "S", description="How large: T for machines without a GPU, S, M, L for large GPUs."
    )
    scale: Literal[2, 3, 4, 6] = Field(
        4,
        description="How much larger. 6: ×2 as it ships, then a ×3 that learns from its pictures.",
    )
    fresh: bool = Field(
        False, description="Begin from chance; else from the weights that ship, where there are."
    )
    # The pictures.
    largest: int = Field(
        1024, ge=32, le=4096,
        description="Longest side to which images are made smaller; with a piece, what fills it.",
    )  # fmt: skip
    crop: int = Field(24, ge=8, le=256, description="Side of what is shown, small pixels.")
    batch: int = Field(16, ge=2, le=1024, description="Crops in a step, an even number.")
    exchange: bool = Field(True, description="Exchange red, green and blue at random.")
    box: float = Field(3, ge=0, description="Share of pictures made small by averaging.")
    bicubic: float = Field(2, ge=0, description="The same by bicubic interpolation.")
    lanczos: float = Field(2, ge=0, description="The same by Lanczos, as datasets are read.")
    gaussian: float = Field(0.5, ge=0, description="The same softly, as small GANs paint.")
    noise: float = Field(0.1, ge=0, le=1, description="How often a batch has light noise.")
    jpeg: float = Field(0.05, ge=0, le=1, description="How often it went through JPEG.")
    checkerboard: float = Field(
        0.05, ge=0, le=1, description="How often it has a transposed convolution's pattern."
    )
    # What is asked for.
    consistency: float = Field(
        0.1, ge=0, description="Weight of the result, made small again, being what was given."
    )
    pan: float = Field(
        0.1, ge=0, description="Weight of pictures a fraction of a pixel apart coming out alike."
    )
    steady: float = Field(
        0.1, ge=0, description="Weight of a piece's walks moving no more than when interpolated."
    )
    adversarial_share: float = Field(
        0.1, ge=0, le=1, description="Last share of the budget, in which a critic has a say."
    )
    adversarial: float = Field(5e-4, ge=0, description="The critic's weight.")
    feature: float = Field(
        5e-3, ge=0, description="Weight of looking alike to the critic's inner layers."
    )
    # The run.
    learning_rate: float = Field(2e-2, gt=0, le=1, description="Muon's, for the pixels.")
    decay: float = Field(
        0.1, ge=0, le=10, description="Muon's weight decay: what it takes, times the rate."
    )
    adversarial_rate: float = Field(1.5e-3, gt=0, le=1, description="The same with the critic.")
    critic_rate: float = Field(4e-4, gt=0, le=0.1, description="Adam's, for the critic.")
    average: float = Field(0.998, ge=0, lt=1, description="Decay of the weights' moving average.")
    precision: Literal["auto", "bf16", "float32"] = Field(
        "auto", description="auto: bfloat16 where the hardware computes in it."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="The same seed repeats the training.")
    checkpoint_seconds: float = Field(60.0, gt=0, le=120, description="Between two checkpoints.")

    @model_validator(mode="after")
    def _agree(self) -> UpscaleRecipe:
        if self.crop * self.scale % 8:
            raise ValueError(f"a crop of {self.crop} px at ×{self.scale} is no multiple of 8")
        if self.batch % 2:
            raise ValueError(f"batch {self.batch} is odd: crops come in pairs")
        if not self.box + self.bicubic + self.lanczos + self.gaussian:
            raise ValueError("box, bicubic, lanczos and gaussian are all 0: nothing is made small")
        if self.largest < self.side:
            raise ValueError(f"largest {self.largest} is less than the {self.side} px of a crop")
        return self

    @property
    def side(self) -> int:
        """What a pair of crops takes of an image, pixels: the second one is moved a little."""
        return (self.crop + 1) * self.scale

    @property
    def shape(self) -> dict[str, int]:
        """The keyword arguments of the network that is trained: of a chain the last one."""
        return {"scale": CHAINS.get(self.scale, (self.scale,))[-1], **TIERS[self.tier]}
