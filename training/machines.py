"""On how many devices and machines to train, and which of the processes this is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training import UsageError

if TYPE_CHECKING:
    from lightning_fabric.plugins.environments import ClusterEnvironment


class MachinesError(UsageError):
    """Devices or machines that are not there. One line."""


@dataclass(frozen=True)
class Machines:
    """devices: processes on each machine, one a GPU where there are GPUs. nodes: machines."""

    devices: int = 1
    nodes: int = 1

    @classmethod
    def parse(cls, devices: str, nodes: int) -> Machines:
        """`auto`: as many as Slurm's tasks on each machine, or as this machine has GPUs, else 1.
        Raises MachinesError."""
        if not (devices == "auto" or devices.isdigit()) or devices == "0" or nodes < 1:
            raise MachinesError(
                f"--devices {devices} --nodes {nodes}: give whole numbers from 1, or --devices auto"
            )
        tasks = os.environ.get("SLURM_NTASKS_PER_NODE", "") if _in_slurm() else ""
        if devices == "auto":
            found = cls(int(tasks) if tasks.isdigit() else max(1, _gpus()), nodes)
        else:
            found = cls(int(devices), nodes)
        found._check(tasks)
        return found

    def _check(self, tasks: str) -> None:
        if self.devices > 1 and 0 < _gpus() < self.devices:
            raise MachinesError(f"--devices {self.devices}: this machine has {_gpus()} GPU")
        if not _in_slurm():
            return
        if self.ranks > 1 and not tasks.isdigit():
            raise MachinesError("Slurm: ask for --ntasks-per-node, which says how to share them")
        given = int(tasks) if tasks.isdigit() else self.devices
        there = int(os.environ.get("SLURM_NNODES", self.nodes))
        if (given, there) != (self.devices, self.nodes):
            raise MachinesError(
                f"Slurm has started {given} on each of {there} nodes, and this asks for "
                f"{self.devices} on {self.nodes}; use --devices auto --nodes {there}, and srun"
            )

    @property
    def ranks(self) -> int:
        return self.devices * self.nodes

    @property
    def lead(self) -> bool:
        """Whether this process writes and speaks, known before they have joined."""
        if self.ranks == 1:
            return True
        found = self.environment()
        if found.creates_processes_externally and _in_slurm():
            return found.global_rank() == 0
        return found.node_rank() == 0 and found.local_rank() == 0

    def environment(self) -> ClusterEnvironment:
        """Who numbers the processes: Slurm's srun, torchrun, or Lightning, which starts them
        itself. Lightning's own requeueing is off: it would write its own kind of checkpoint, in
        the middle of a step."""
        from lightning_fabric.plugins.environments import (
            LightningEnvironment,
            SLURMEnvironment,
            TorchElasticEnvironment,
        )

        if self.ranks > 1 and _in_slurm():
            return SLURMEnvironment(auto_requeue=False)
        if self.ranks > 1 and TorchElasticEnvironment.detect():
            return TorchElasticEnvironment()
        return LightningEnvironment()

    def check_batch(self, batch: int) -> None:
        """Raise MachinesError unless a batch can be shared evenly."""
        if batch % self.ranks:
            raise MachinesError(
                f"batch {batch} cannot be shared by {self.ranks} processes; --set batch="
                f"{-(-batch // self.ranks) * self.ranks}"
            )


def _in_slurm() -> bool:
    """Whether srun has started this process; a shell inside a job is none of its tasks."""
    return "SLURM_PROCID" in os.environ and "SLURM_NTASKS" in os.environ and not _by_hand()


def _by_hand() -> bool:
    return os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()
