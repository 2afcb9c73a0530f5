"""Lightning's trainer, set up for us: where it runs, and in which precision."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytorch_lightning as pl

from training.module import GanModule
from training.precision import bfloat16_is_fast
from training.recipe import Recipe


def fit(module: GanModule, batches: Any, callbacks: list[Any], recipe: Recipe) -> None:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Hints for people who write Lightning programs (worker counts, loggers), not for artists.
        warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)\b.*")
        trainer = pl.Trainer(
            accelerator="auto",
            devices=1,
            precision=precision(recipe),
            max_epochs=1,
            max_steps=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
        trainer.fit(module, train_dataloaders=batches)


def precision(recipe: Recipe) -> Any:
    """Lightning's name for the precision: bfloat16 only where the hardware computes in it."""
    fast = bfloat16_is_fast() if recipe.precision == "auto" else recipe.precision == "bf16"
    return "bf16-mixed" if fast else "32-true"
