"""`installation bench`: the figures of this machine. Medians after a warm-up; a part that cannot
run here says why instead of a number."""

from __future__ import annotations

import json
import math
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from installation import playing, stage
from installation.engine.software import draws_on_the_processor
from installation.output.displays import DisplayError
from installation.output.offscreen import Offscreen
from installation.output.window import Window
from installation.programme import Options
from models import shelf

if TYPE_CHECKING:
    from installation.engine.chain import Chain
    from installation.engine.upscale import ShaderUpscaler

_WARM_UP, _FRAMES = 60, 300
_SIZES = ((512, 512), (1024, 1024))
_RATE = 60.0  # Hz, of the display that an offscreen show is played for
_BESIDE = ("neural_fps", "generator_ms", "upload_ms", "upscale_ms")  # beside the frames
_MESSAGES = 100  # for each latency


class BenchError(Exception):
    """A part that does not exist. One line."""


def run(only: str = "") -> dict[str, Any]:
    """Measure everything, or one part: start, frame_path, latency, upscaler.

    Each part runs in a process of its own: none profits from what another has loaded, and window
    and windowless OpenGL never meet in one process, which some drivers do not survive.
    """
    if only and only not in PARTS:
        raise BenchError(f"--only {only}: there are {', '.join(PARTS)}")
    wanted = [name for name in PARTS if only in ("", name)]
    return {"machine": _in_child("machine"), **{name: _in_child(name) for name in wanted}}


def _in_child(name: str) -> Any:
    """Run a function of this module in a fresh process; where it fails, why. -P: what lies in the
    working folder is not imported."""
    code = f"from installation import bench; bench.answer({name!r}, {time.time()!r})"
    child = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if child.returncode:
        return {"why": (child.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    return json.loads(child.stdout.strip().splitlines()[-1])


def answer(name: str, began: float) -> None:
    """In the child: measure and print the answer as JSON. began: when its parent started it."""
    found = start(began) if name == "start" else {**PARTS, "machine": machine}[name]()
    print(json.dumps(found))


def machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    screen = Offscreen((16, 16))
    renderer = screen.ctx.info["GL_RENDERER"]
    screen.close()
    return {
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "gpu": gpu,
        "renderer": renderer,
        "torch": torch.__version__,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def start(began: float = 0.0) -> dict[str, float]:
    """From the start of a fresh process: imports, first picture on screen, first neural one."""
    imported = time.time() - began
    show = _open((512, 512))
    show.frame()
    first = time.time() - began
    show.show.start()
    while show.show.waiting:
        show.frame()
    neural = time.time() - began
    _close(show)
    return {"import_s": imported, "first_picture_s": first, "first_neural_s": neural}


def _open(size: tuple[int, int], piece: str = "", **settings: Any) -> stage.Stage:
    """A live stage in a window where there is a display, else offscreen."""
    options = Options(piece=piece, size=size, venue="rehearsal", **settings)
    try:
        return playing.live(options)
    except DisplayError:
        return playing.live(options, Offscreen(size))


def frame_path() -> list[dict[str, Any]]:
    """One row per piece and output size: a live show of some seconds.

    Offscreen nothing holds the frames back, and on a fast GPU they leave the generator no time: so
    frames are timed as fast as they come, and what goes on beside them at _RATE, as on a display.
    """
    rows = []
    for folder in shelf.list_pieces():
        for size in _SIZES:
            show = _open(size, str(folder), scene="drift")
            _play(show, _WARM_UP)
            show.stats.reset()
            _play(show, _FRAMES)
            where = "window" if isinstance(show.window, Window) else "offscreen"
            row: dict[str, Any] = {"piece": folder.name, "output": where, **show.report()}
            if row["fps"] > _RATE and where == "offscreen":
                show.stats.reset()
                _play(show, _FRAMES, _RATE)
                paced = show.report()
                row |= {key: paced[key] for key in _BESIDE}
            rows.append(row)
            _close(show)
    return rows


def _play(show: stage.Stage, frames: int, rate: float = math.inf) -> None:
    """Let the show run for so many frames after the piece has come on, at most `rate` a second."""
    if show.stats.frames == 0 and show.show.waiting:
        show.show.start()
        while show.show.waiting:
            show.frame()
    for _ in range(frames):
        due = time.perf_counter() + 1 / rate
        show.frame()
        time.sleep(max(0.0, due - time.perf_counter()))


def _close(show: stage.Stage) -> None:
    show.close()
    show.window.close()


def latency() -> dict[str, Any]:
    """From a message leaving its sender to the swap of the frame that shows it."""
    from installation.control.osc import OscServer

    show = _open((512, 512), scene="drift")
    _play(show, _WARM_UP)
    server = OscServer(show.bus, "127.0.0.1", 0).start()
    try:
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        to = ("127.0.0.1", server.port)
        osc = _latency_of(show, lambda value: out.sendto(_osc_float(value), to))
        out.close()
    finally:
        server.close()
    result = {"osc_to_swap_ms": osc, "midi_to_swap_ms": _midi_latency(show)}
    _close(show)
    return result


_PROBE = "/light/brightness"


def _osc_float(value: float) -> bytes:
    from pythonosc.osc_message_builder import OscMessageBuilder

    message = OscMessageBuilder(_PROBE)
    message.add_arg(value, "f")
    return bytes(message.build().dgram)


def _midi_latency(show: stage.Stage) -> dict[str, Any]:
    import mido

    from installation.control.binding import Binding
    from installation.control.mapping import MidiMap
    from installation.control.midi import Midi

    name = "installation bench"
    try:
        port = mido.open_output(name, virtual=True)
    except Exception as error:  # noqa: BLE001 - each backend has its own exceptions
        return {"why": f"no MIDI system to send through ({error})"}
    binding = Binding(_PROBE, "cc", 7, channel=1)
    midi = Midi(show.bus, MidiMap(show.bus, [binding]), [name]).start()
    try:
        ends = time.monotonic() + 5
        while not midi.connected and time.monotonic() < ends:
            show.frame()

        def send(value: float) -> None:
            port.send(mido.Message("control_change", control=7, value=round(value * 127)))

        return _latency_of(show, send)
    finally:
        midi.close()
        port.close()


def _latency_of(show: stage.Stage, send: Callable[[float], Any]) -> dict[str, Any]:
    """Send values at moments that fall anywhere in a frame; see at which swap each has arrived."""
    rng = np.random.default_rng(0)
    sent: list[float] = []
    found: list[float] = []

    def one(value: float, wait: float) -> None:
        time.sleep(wait)
        sent.append(time.perf_counter())
        send(value)

    for i in range(_MESSAGES):
        value = 0.6 + 0.3 * (i % 2)
        before = show.bus.target(_PROBE)
        thread = threading.Thread(target=one, args=(value, rng.uniform(0, 0.03)))
        thread.start()
        ends = time.perf_counter() + 2
        while show.bus.target(_PROBE) == before and time.perf_counter() < ends:
            show.frame()
        thread.join()
        if show.bus.target(_PROBE) == before:
            return {"why": "a message never arrived"}
        found.append(time.perf_counter() - sent[-1])
    p50, p99 = np.percentile(np.asarray(found) * 1000, [50, 99])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def upscaler() -> list[dict[str, Any]]:
    """Each tier, scale and back end; then tier S as it would be written first, to compare with.

    On software GL the large tiers are measured at ×2 alone: compiling them takes minutes there.
    """
    from installation.engine.chain import Chain
    from installation.engine.naive import NaiveUpscaler
    from installation.engine.tiers import back_ends
    from models.upscaler import CHAINS, SCALES, TIERS, Chained, Upscaler

    screen = Offscreen((16, 16))
    software = draws_on_the_processor(screen.ctx.info["GL_RENDERER"])
    rows = []
    for side in (128,) if software else (64, 128, 256, 512):
        for tier, kwargs in TIERS.items():
            for scale in (2,) if software and tier in "ML" else (*SCALES, *CHAINS):
                links = (Upscaler(one, **kwargs) for one in CHAINS.get(scale, (scale,)))
                network = Chained(*links)
                kinds: list[type[ShaderUpscaler]] = list(back_ends(screen.ctx))
                if (tier, scale) == ("S", 2):
                    kinds.append(NaiveUpscaler)
                for kind in kinds:
                    runner = Chain(screen.ctx, network, (side, side), kind)
                    row = _upscaler_row(runner, (side, side))
                    rows.append({"tier": tier, "scale": scale, **row})
    screen.close()
    return rows


_RENDERS = 4  # in one measurement


def _upscaler_row(runner: Chain, size: tuple[int, int]) -> dict[str, Any]:
    frame = runner.ctx.texture(size, 4, bytes(4 * size[0] * size[1]))

    def once() -> None:
        runner.render(frame)
        runner.ctx.finish()

    def often() -> None:  # waiting for each would be a part of the figure on a fast GPU
        for _ in range(_RENDERS):
            runner.render(frame)
        runner.ctx.finish()

    began = time.perf_counter()
    once()
    first = time.perf_counter() - began
    ms = _median_ms(often) / _RENDERS
    row = {
        "mac": runner.macs, "passes": runner.passes, "input": list(size),
        "backend": runner.backend, "ms": round(ms, 3), "first_s": round(first, 3),
    }  # fmt: skip
    runner.release()
    frame.release()
    return row


def _median_ms(work: Callable[[], object], runs: int = 20, seconds: float = 3.0) -> float:
    """Of so many runs after a warm-up; of five at least, where they take longer than `seconds`."""
    for _ in range(3):
        work()
    times: list[float] = []
    while len(times) < runs and (len(times) < 5 or sum(times) < seconds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(float(np.median(times)) * 1000, 3)


PARTS: dict[str, Callable[[], Any]] = {
    "start": start,
    "frame_path": frame_path,
    "latency": latency,
    "upscaler": upscaler,
}


def text(result: dict[str, Any]) -> str:
    """The figures for a person: one per line, the nested names joined."""
    lines: list[str] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for i, inner in enumerate(value):
                walk(f"{prefix}[{i}]", inner)
        else:
            shown = f"{value:.3f}" if isinstance(value, float) else value
            lines.append(f"{prefix:44} {shown}")

    walk("", result)
    return "\n".join(lines)
