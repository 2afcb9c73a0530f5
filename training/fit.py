"""Lightning's trainer, set up for us: where it runs, on how many devices, in which precision."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.strategies import DDPStrategy

from training.compiling import compile_networks
from training.machines import Machines
from training.module import GanModule
from training.precision import fastest, in_bfloat16
from training.ranks import share_norms
from training.recipe import Recipe


class Ranks(DDPStrategy):
    """Lightning's processes and process group (gloo on CPUs, nccl on CUDA) without torch's wrapper
    around the module: training/ranks.py says why, and averages the gradients."""

    def configure_ddp(self) -> None:
        assert isinstance(self.model, pl.LightningModule)  # noqa: S101
        share_norms(self.model)


def fit(
    module: GanModule,
    batches: Any,
    callbacks: list[Any],
    recipe: Recipe,
    machines: Machines | None = None,
) -> None:
    machines = machines or Machines()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Hints for people who write Lightning programs (worker counts, loggers), not for artists.
        warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)\b.*")
        warnings.filterwarnings("ignore", module=r"torch\._(dynamo|inductor)\b.*")
        several = machines.ranks > 1
        trainer = pl.Trainer(
            accelerator=fastest().type,
            devices=machines.devices,
            num_nodes=machines.nodes,
            strategy=Ranks() if several else "auto",
            plugins=[machines.environment()],
            precision=precision(recipe),
            max_epochs=1,
            max_steps=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
        device = trainer.strategy.root_device
        batches.keep_near(device)
        if recipe.compile:
            compile_networks((module.generator, module.discriminator))
        trainer.fit(module, train_dataloaders=batches)


def precision(recipe: Recipe) -> Any:
    """Lightning's name for the precision: bfloat16 only where the hardware computes in it."""
    return "bf16-mixed" if in_bfloat16(recipe.precision) else "32-true"
