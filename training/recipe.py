"""How to train: a TOML file, checked before anything is read or written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.architecture import fit_to, parse, stages_for
from models.latent import Code
from training import UsageError
from training.growth import Size, plan

Kind = TypeVar("Kind", bound=BaseModel)  # of recipe

CODE_NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
MOST = 0.9  # of augmentation; beyond, it leaks into the pictures


class RecipeError(UsageError):
    """A recipe or budget that cannot be followed. One line: where, key, value, what is allowed."""


class CodeRecipe(BaseModel):
    """An InfoGAN code to discover while training."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=CODE_NAME)
    kind: Literal["categorical", "continuous"]
    size: int = Field(1, ge=1, le=64, description="Values of a categorical code.")

    def to_code(self) -> Code:
        return Code(self.name, self.kind, self.size)


class Recipe(BaseModel):
    """Every choice of a training. The defaults are measured: training/MEASUREMENTS.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    about: str = Field("", description="What this recipe is for, in a sentence.")
    trains: Literal["piece"] = Field(
        "piece", description="What it is of; see training/upscale/recipe.py for an upscaler's."
    )
    # The pictures.
    resolution: int = Field(64, ge=8, le=1024, description="Side in pixels, a power of two.")
    fit: Literal["pad", "crop"] = Field(
        "pad", description="Other aspects: pad with the image's border colour, or crop its centre."
    )
    mirror: bool = Field(True, description="Show each image mirrored half of the time.")
    augment: float | Literal["auto"] = Field(
        "auto",
        description="How often images are augmented, 0 to 1; where it adapts, at first. auto: 0 "
        "where it adapts, else by the dataset's size.",
    )
    adapt: bool | Literal["auto"] = Field(
        "auto",
        description="Let the augmentation follow what D makes of the held-out images. auto: where "
        "augment is auto, and images are held out.",
    )
    hold_out: float = Field(
        0.1, ge=0, le=0.5, description="Share of the images kept from training, to judge it by."
    )
    cutout: float = Field(
        0.0, ge=0, le=1, description="How often a grey hole hides a part; it can leak as grey."
    )
    labels: tuple[str, ...] = Field(
        (), description="Labels to steer by, of those that the dataset has. Empty: all of them."
    )
    # The networks.
    z: int = Field(64, ge=1, le=1024, description="Dimensions of the noise vector.")
    codes: tuple[CodeRecipe, ...] = Field((), description="InfoGAN codes to discover.")
    networks: Literal["strided", "dcgan"] = Field(
        "strided", description="strided: ours. dcgan: as in 2015, to compare with."
    )
    generator: str = Field(
        "4:384 8:192 16:96 32:48 64:32 128:24 256:16 512:16",
        description="Channels at each size, as SIZE:CHANNELS; used as far as needed.",
    )
    discriminator: str | None = Field(
        None, description="The same for the discriminator; left out: as the generator."
    )
    growth: str = Field(
        "",
        description="Begin small and double: RESOLUTION:SHARE of the budget, with xBATCH where the "
        "batch differs, e.g. 16:1x64 32:2 64:3. Empty: full size from the start.",
    )
    fade: float = Field(
        0.3, ge=0, le=1, description="Share of a size's time in which it fades in, when growing."
    )
    # The game.
    loss: Literal["relativistic", "classic"] = Field(
        "relativistic", description="relativistic: R3GAN's pairing. classic: Goodfellow's, 2014."
    )
    gamma: float | Literal["auto"] = Field(
        "auto", description="Weight of R1 and R2, 0 or more. auto: by the dataset's size."
    )
    penalty_warmup: int = Field(100, ge=0, description="Steps that start with R1 and R2 each.")
    penalty_every: int = Field(4, ge=1, description="After those, R1 and R2 every so many steps.")
    saturation: float = Field(
        0.0, ge=0, description="Weight of calling back what is burnt out to full white or black."
    )
    learning_rate: float = Field(1e-3, gt=0, le=0.1, description="Adam's, for both networks.")
    cooldown: float = Field(
        0.25, ge=0, le=1, description="Last share of the budget: the rate falls to nothing."
    )
    clip: float = Field(
        3.0, ge=0, description="Longest gradient, as a multiple of what is usual; 0: any length."
    )
    beta1: float = Field(0.0, ge=0, lt=1, description="Adam's first decay.")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's second decay.")
    batch: int = Field(
        "auto",
        ge=2,
        le=4096,
        validate_default=True,
        description="Images in a step. auto: 32 on a processor; on a GPU, which else waits for the "
        "next step most of the time, 128, and 64 from 256 pixels on.",
    )
    ema_kimg: float = Field(
        30.0, ge=0, description="Longest half-life of the weights' moving average, kimg."
    )
    label_start: float = Field(5.0, ge=0, description="kimg from which labels are ramped in.")
    label_full: float = Field(20.0, gt=0, description="kimg at which labels count fully.")
    label_weight: float = Field(
        0.5, ge=0, description="Weight of the labels being readable, beside the projection's pull."
    )
    label_drop: float = Field(0.1, ge=0, le=1, description="How often a known label is hidden.")
    code_start: float = Field(0.3, ge=0, description="Weight of the codes' information at first.")
    code_weight: float = Field(0.1, ge=0, description="The same once the codes have settled.")
    code_settle: float = Field(
        20.0, ge=0, description="kimg in which it goes from one to the other."
    )
    guide: float = Field(
        0.0, ge=0, le=0.9, description="Share of the pictures that follow a guide; 0: none can."
    )
    guide_weight: float = Field(4.0, ge=0, description="Weight of following it.")
    frozen: bool = Field(False, description="With --from: all that G learns is to follow guides.")
    generator_rest: float = Field(
        0.0, ge=0, description="kimg in which only D learns, at first; set by --from."
    )
    # The pictures' shares.
    balance: Literal["none", "sqrt", "even"] = Field(
        "none", description="Show rare labels more often: by root of their frequency, or all alike."
    )
    target: dict[str, dict[str, float]] = Field(
        {}, description="Shares that the artist wants, by label and value, any positive scale."
    )
    # The run.
    precision: Literal["auto", "bf16", "float32"] = Field(
        "auto", description="auto: bfloat16 where the hardware computes in it."
    )
    compile: bool = Field(
        False, description="torch.compile; it can take minutes before the first step."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="The same seed repeats the training.")
    grid_seconds: float = Field(30.0, gt=0, description="Between two sample grids.")
    picture_seconds: float = Field(
        120.0, gt=0, description="Between two drawings of matrix, code strips and neighbours."
    )
    judge_kimg: float = Field(
        10.0, gt=0, description="Between two looks for the best state, kimg; in time more."
    )
    checkpoint_seconds: float = Field(100.0, gt=0, le=120, description="Between two checkpoints.")

    @field_validator("batch", mode="before")
    @classmethod
    def _for_the_machine(cls, value: Any, info: ValidationInfo) -> Any:
        if value != "auto":
            return value
        from training.precision import fastest  # torch: seconds, which refusals should not take

        if fastest().type == "cpu":
            return 32
        return 128 if info.data.get("resolution", 0) < 256 else 64

    @field_validator("compile", mode="before")
    @classmethod
    def _once_auto(cls, value: Any) -> Any:
        return False if value == "auto" else value  # of older pieces and checkpoints

    @model_validator(mode="after")
    def _agree(self) -> Recipe:
        for key in ("generator", "discriminator"):
            line = getattr(self, key)
            if line is not None:
                _explained(key, line, self.resolution)
        stays = all(item.startswith(f"{self.resolution}:") for item in self.growth.split())
        if self.frozen and not stays:
            raise ValueError("frozen: what learns a guide alone cannot grow; leave growth out")
        plan(self.growth, self.resolution, self.batch)
        if isinstance(self.augment, float) and not 0 <= self.augment <= 1:
            raise ValueError(f"augment {self.augment} is outside 0 to 1")
        if isinstance(self.gamma, float) and not 0 <= self.gamma <= 1000:
            raise ValueError(f"gamma {self.gamma} is outside 0 to 1000")
        if self.frozen and not self.guide:
            raise ValueError("frozen: then a guide is all that is learned, and guide is 0")
        if self.label_full < self.label_start:
            raise ValueError("label_full must not come before label_start")
        for code in self.codes:
            code.to_code()
        if len({code.name for code in self.codes}) != len(self.codes):
            raise ValueError("two codes have the same name")
        return self

    @property
    def generator_stages(self) -> tuple[int, ...]:
        """Channels at 4, 8, 16 … pixels."""
        return fit_to(parse(self.generator), self.resolution)

    @property
    def discriminator_stages(self) -> tuple[int, ...]:
        """The same of the discriminator, which reads them backwards."""
        return fit_to(parse(self.discriminator or self.generator), self.resolution)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """What is trained at which size, in order."""
        return plan(self.growth, self.resolution, self.batch)

    def settled(self, images: int, held_out: int = 0) -> Recipe:
        """The recipe with every "auto" that hangs on the dataset's size turned into a number.

        images: in all; held_out: of those. Few images are soon learned by heart, so they are
        augmented more, as soon as D begins to, or from the start where nothing can say so. With
        the larger sets' penalty on top it would learn nothing any more.
        """
        augment, adapt, gamma = self.augment, self.adapt, self.gamma
        if adapt == "auto":
            adapt = augment == "auto" and held_out > 0
        if augment == "auto":
            augment = 0.8 if images < 1500 else 0.5 if images < 20_000 else 0.2
            augment = 0.0 if adapt else augment
        if gamma == "auto":
            gamma = 0.3 if images < 1500 else 1.0
        return self.model_copy(update={"augment": augment, "adapt": adapt, "gamma": gamma})


def _explained(key: str, line: str, resolution: int) -> None:
    """Check an architecture line, and name its key where it is wrong."""
    stages_for(resolution)
    try:
        fit_to(parse(line), resolution)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def load_recipe(name: str, overrides: Sequence[str] = (), **settings: Any) -> Recipe:
    """A recipe that ships, by name, or a TOML file, with `key=value` overrides on top.

    settings: values from elsewhere on the command line; None leaves the recipe's own.
    Raises RecipeError.
    """
    return make_recipe(read_recipe(name), overrides, name, **settings)


def read_recipe(name: str) -> dict[str, Any]:
    """What a recipe says, not yet checked: one that ships, by name, or a TOML file.

    Its `trains` is "piece", where it says nothing, or "upscaler". Raises RecipeError.
    """
    path = Path(name)
    shipped = resources.files("training") / "recipes"
    source = path if path.suffix == ".toml" else shipped / f"{name}.toml"
    try:
        return tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, FileNotFoundError):
            known = ", ".join(recipe_names())
            message = f"there is no recipe {name!r}; there is {known}, or give a .toml file"
            raise RecipeError(message) from error
        raise RecipeError(f"recipe {name} cannot be read: {error}") from error


def make_recipe(
    data: Mapping[str, Any], overrides: Sequence[str] = (), where: str = "recipe", **settings: Any
) -> Recipe:
    """Check recipe data with overrides on top. Raises RecipeError."""
    if data.get("batch") == "auto":  # as if nothing had been said
        data = {key: value for key, value in data.items() if key != "batch"}
    overrides = [one for one in overrides if one.replace(" ", "") != "batch=auto"]
    return checked(Recipe, data, overrides, where, **settings)


def checked(
    kind: type[Kind],
    data: Mapping[str, Any],
    overrides: Sequence[str] = (),
    where: str = "recipe",
    **settings: Any,
) -> Kind:
    """The same for any kind of recipe. Raises RecipeError."""
    merged = dict(data)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise RecipeError(f"--set {override}: write it as key=value")
        merged[key.strip()] = _value(value.strip())
    merged.update({key: value for key, value in settings.items() if value is not None})
    try:
        return kind.model_validate(merged)
    except ValidationError as error:
        raise RecipeError(f"recipe {where}: {_first_line(error, kind)}") from error


def recipe_names() -> list[str]:
    """The recipes that ship."""
    folder = resources.files("training") / "recipes"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def _value(text: str) -> Any:
    """A value as TOML reads it, or else plain text, so that fit=crop needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _first_line(error: ValidationError, kind: type[BaseModel]) -> str:
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"]]
    wrong = (parts or [""])[0], first["type"]
    if wrong[0] in ("augment", "gamma") or (kind is Recipe and wrong == ("batch", "int_parsing")):
        # A number or auto; pydantic names what it tried.
        return f"{parts[0]} = {first['input']!r}: a number or auto"
    if parts and parts[0] == "adapt":
        return f"{parts[0]} = {first['input']!r}: true, false or auto"
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        known = ", ".join((CodeRecipe if parts[1:] else kind).model_fields)
        return f"unknown key {key!r}; known are {known}"
    if first["type"] == "tuple_type":
        return f"{key} = {first['input']!r}: a list, in square brackets"
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return message
    return f"{key} = {first['input']!r}: {message[0].lower()}{message[1:]}"
