"""Lightning's trainer, set up for us: where it runs, and in which precision."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytorch_lightning as pl
import torch

from training.module import GanModule
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
    if recipe.precision == "auto":
        if torch.cuda.is_available():
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            # No public question for this yet; where it cannot be asked, float32 is always right.
            ask = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
            fast = bool(ask()) and not torch.backends.mps.is_available()
    else:
        fast = recipe.precision == "bf16"
    return "bf16-mixed" if fast else "32-true"
