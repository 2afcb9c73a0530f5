"""A network under a captured CUDA graph: one launch instead of one for every kernel in it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_WARM = 3  # runs in which cuDNN chooses its kernels; capturing allows no such search


class Captured:
    """work: of one tensor, always the same steps. like: what it will be called with, by shape.

    What comes back is a copy: the graph draws the next picture into the same memory. Raises
    RuntimeError where the work cannot be captured.
    """

    def __init__(self, work: Callable[[Tensor], Tensor], like: Tensor) -> None:
        self._given = like.clone()
        beside = torch.cuda.Stream(like.device)
        beside.wait_stream(torch.cuda.current_stream(like.device))
        with torch.cuda.stream(beside):
            for _ in range(_WARM):
                work(self._given)
        torch.cuda.current_stream(like.device).wait_stream(beside)
        self._graph = torch.cuda.CUDAGraph()
        # The renderer's thread may be copying a frame meanwhile, which is none of our business.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._made = work(self._given)

    def __call__(self, given: Tensor) -> Tensor:
        self._given.copy_(given)
        self._graph.replay()
        return self._made.clone()
