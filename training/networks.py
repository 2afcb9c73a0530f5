"""The networks that a recipe asks for, at one of the sizes that it goes through."""

from __future__ import annotations

from models.architecture import fit_to
from models.discriminator import Discriminator
from models.generator import Generator
from models.latent import Latent
from training.recipe import Recipe

DOUBLING = {"strided": "resize", "dcgan": "transposed"}  # of G, by a recipe's `networks`


def make_generator(recipe: Recipe, latent: Latent, resolution: int) -> Generator:
    """G for pictures of so many pixels a side."""
    channels = fit_to(recipe.generator_stages, resolution)
    doubling = DOUBLING[recipe.networks]
    return Generator(latent.width, resolution, channels, doubling, guided=recipe.guide > 0)


def make_discriminator(recipe: Recipe, latent: Latent, resolution: int) -> Discriminator:
    """D for pictures of so many pixels a side."""
    return Discriminator(
        resolution,
        fit_to(recipe.discriminator_stages, resolution)[::-1],
        latent.condition_width,
        latent.codes,
        normed=recipe.networks == "dcgan",
    )
