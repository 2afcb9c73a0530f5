"""The upscaler of a show: the one place that chooses network and back end, by the clock.

While the loading picture is on, networks are compiled and timed from the lightest up, each as
fragment passes and, where the context has GL 4.3, in compute shaders; the faster is kept. Timer
queries read about 0 for compute on llvmpipe, so the time is taken to the end of the drawing.

What the driver compiled it keeps on disk by itself (Mesa, NVIDIA), so that the next start is
faster; moderngl makes programs from text alone, and has no road for a binary of ours.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import moderngl

from installation.engine.chain import Chain
from installation.engine.fragments import FragmentUpscaler
from installation.engine.ladder import Ladder
from installation.engine.textures import Size
from installation.engine.tiles import REQUIRED, TileUpscaler
from installation.engine.upscale import ShaderUpscaler
from models.upscaler import CHAINS, SCALES, Chained, Upscaler, load_default, shipped

log = logging.getLogger(__name__)

_DEFAULT = "S"  # where nothing is timed
_RUNS = 3  # of which the fastest counts
_SLOWER = 1.5  # a back end slower by so much at one network is not compiled for the next
_PATIENCE = 20.0  # seconds after which no heavier network is tried: somebody is waiting


@dataclass(frozen=True)
class Rung:
    """tier: "T" to "L", or "own" for the piece's own."""

    tier: str
    network: Upscaler | Chained


def rungs(own: Upscaler | None, wanted: float) -> list[Rung]:
    """The networks there are for one show, the lightest first.

    wanted: how many times larger the picture is than the frame. A piece's own network stands at
    the top, with those that ship and are lighter below it; else all that ship at the smallest
    scale that is enough, below a chain of networks also those of the largest scale of one alone.
    Raises PieceError for weights that are damaged.
    """
    scales = [one for one in (*SCALES, *CHAINS) if shipped(one)]
    enough = [one for one in scales if one >= wanted]
    chosen = {own.scale if own is not None else min(enough, default=max(scales))}
    if chosen & CHAINS.keys():
        chosen.add(max(set(scales) - CHAINS.keys()))
    found = [Rung(tier, load_default(one, tier)) for one in chosen for tier in shipped(one)]
    if own is not None:
        found = [one for one in found if one.network.macs < own.macs] + [Rung("own", own)]
    return sorted(found, key=lambda one: one.network.macs)


def back_ends(ctx: moderngl.Context) -> list[type[ShaderUpscaler]]:
    """Those that a context can run."""
    modern = ctx.version_code >= REQUIRED
    return [FragmentUpscaler, TileUpscaler] if modern else [FragmentUpscaler]


class Tiers:
    """Chooses among networks and runs the one chosen.

    size: of the frames. frame: seconds that the slowest frame of the show may take; None for a
    show that is not watched, where nothing is timed and two runs are the same: the piece's own
    network or tier S, as fragment passes.
    """

    def __init__(
        self, ctx: moderngl.Context, networks: list[Rung], size: Size, frame: float | None
    ) -> None:
        self._ctx, self._rungs, self._size = ctx, networks, size
        self._ladder: Ladder | None = None
        if frame is not None:
            self._ladder = Ladder([one.network.macs for one in networks], frame)
        self._kinds = back_ends(ctx)
        self._built: dict[int, Chain] = {}
        self._stands: int | None = None
        self.why = "" if frame is not None else "not timed: nobody is watching"

    def choose(self) -> Iterator[None]:
        """Compile and time; a pause after each pass. Bind your framebuffer in each."""
        try:
            if self._ladder is None:
                names = [one.tier for one in self._rungs]
                self._stands = names.index(_DEFAULT) if _DEFAULT in names else 0
                if "own" in names:
                    self._stands = names.index("own")
                self._built[self._stands] = self._make(FragmentUpscaler, self._stands)
                yield from self._built[self._stands].warm()
            else:
                yield from self._climb(self._ladder)
        except BaseException:
            self.release()
            raise

    def _make(self, kind: type[ShaderUpscaler], rung: int) -> Chain:
        return Chain(self._ctx, self._rungs[rung].network, self._size, kind)

    def _climb(self, ladder: Ladder) -> Iterator[None]:
        began = time.perf_counter()
        while (rung := ladder.wants) is not None:
            if ladder.took and time.perf_counter() - began > _PATIENCE:
                break
            yield from self._try(ladder, rung)
        self._stands = ladder.stands
        self.why = self._reason(ladder)
        log.info("upscaler: %s; %s", self, self.why)

    def _try(self, ladder: Ladder, rung: int) -> Iterator[None]:
        """Build a rung with each back end and keep the faster, if it fits."""
        made: dict[type[ShaderUpscaler], Chain] = {}
        took: dict[type[ShaderUpscaler], float] = {}
        try:
            for kind in self._kinds:
                made[kind] = self._make(kind, rung)
                took[kind] = yield from self._time(made[kind])
            best = min(took, key=lambda kind: took[kind])
            ladder.tried(rung, took[best])
            if ladder.fits(rung):
                self._built[rung] = made.pop(best)
        finally:
            for runner in made.values():
                runner.release()
        self._kinds = [kind for kind in took if took[kind] <= _SLOWER * took[best]]
        told = [f"{1000 * took[kind]:.1f} ms in {kind.backend} passes" for kind in took]
        where = f"tier {self._rungs[rung].tier} ×{self._rungs[rung].network.scale}"
        log.info("upscaler: %s takes %s here", where, ", ".join(told))

    def _time(self, runner: Chain) -> Generator[None, None, float]:
        """Compile a network and draw with it; seconds, infinite where the driver refuses it."""
        frame = self._ctx.texture(self._size, 4, bytes(4 * self._size[0] * self._size[1]))
        times = []
        try:
            yield from runner.warm()
            for _ in range(_RUNS):
                times.append(_seconds(runner, frame))
                yield
        except moderngl.Error as error:
            reason = " ".join(str(error).split())[:200]
            log.warning("upscaler: this driver refuses %s passes: %s", runner.backend, reason)
            return math.inf
        finally:
            frame.release()
        return min(times)

    def _reason(self, ladder: Ladder) -> str:
        budget = 1000 * ladder.budget
        if self._stands is None:
            took, frame = 1000 * ladder.took[0], 1000 * ladder.frame
            if took == math.inf:
                return "this driver refuses the shaders; the picture is enlarged plainly"
            return (
                f"even tier {self._rungs[0].tier} takes {took:.0f} of the {frame:.0f} ms of a frame"
            )
        above = self._stands + 1
        if above == len(self._rungs):
            return (
                f"the best there is takes {1000 * ladder.took[self._stands]:.1f} of {budget:.0f} ms"
            )
        took = 1000 * ladder.took.get(above, ladder.expected(above))
        return f"tier {self._rungs[above].tier} would take {took:.0f} of {budget:.0f} ms"

    def render(self, frame: moderngl.Texture, strength: float) -> moderngl.Texture:
        """The frame upscaled, or itself where no network can be afforded. Good until the next."""
        if self._stands is None:
            return frame
        runner = self._built[self._stands]
        runner.strength = strength
        return runner.render(frame)

    def took(self, seconds: float) -> None:
        """A picture of the show took so long: step to another network if that is wiser."""
        if self._ladder is None or not self._ladder.measured(seconds):
            return
        self._stands = self._ladder.stands
        self.why = (
            f"the one before took {1000 * seconds:.0f} of {1000 * self._ladder.budget:.0f} ms"
        )
        log.info("upscaler: %s from now; %s", self, self.why)

    def __str__(self) -> str:
        if self._stands is None:
            return "no network"
        rung = self._rungs[self._stands]
        return f"{rung.tier} ×{rung.network.scale} {self._built[self._stands].backend}"

    def report(self) -> dict[str, object]:
        """What runs and why, for --report."""
        if self._stands is None:
            return {"tier": "none", "why": self.why}
        rung, runner = self._rungs[self._stands], self._built[self._stands]
        return {
            "tier": rung.tier, "scale": rung.network.scale, "mac": rung.network.macs,
            "passes": runner.passes, "backend": runner.backend, "why": self.why,
        }  # fmt: skip

    def release(self) -> None:
        for runner in self._built.values():
            runner.release()
        self._built.clear()
        self._stands = None


def _seconds(runner: Chain, frame: moderngl.Texture) -> float:
    runner.ctx.finish()
    began = time.perf_counter()
    runner.render(frame)
    runner.ctx.finish()
    return time.perf_counter() - began
