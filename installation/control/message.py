"""What every control has in common: how a message that came in is described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from installation.parameters import Form


class ControlError(Exception):
    """A control that cannot be opened. One line: what happened and what to do."""


@dataclass(frozen=True)
class Heard:
    """One message as it came in: for the monitor, and for measuring latency.

    time: time.perf_counter() on arrival, in seconds. address: the parameter it was meant for, ""
    where it names none. value, form: what was posted, as Bus.post takes them; None where nothing
    was. reached: whether the bus took it.
    """

    time: float
    source: str  # "osc 127.0.0.1", "midi nanoKONTROL2 cc 3"
    message: str
    address: str = ""
    value: float | None = None
    form: Form = "value"
    reached: bool = False


OnMessage = Callable[[Heard], None]
