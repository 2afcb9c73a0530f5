"""Messages that come by asyncio, where one sender alone could keep the loop, and Python's lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from installation.control.flood import AT_ONCE, Share, weight

Message = TypeVar("Message")


class Intake(Generic[Message]):
    """Hands messages on all together, when no more is at hand, and makes whoever brings them wait
    where they took more than their share. Nothing is lost by that: what is not read yet waits in
    the sender's connection.

    heed: what is done with them. flooded: told which took too much.
    """

    def __init__(
        self,
        heed: Callable[[list[Message]], None],
        flooded: Callable[[list[Message]], None],
    ) -> None:
        self._heed, self._flooded = heed, flooded
        self._share = Share()
        self._waiting: list[Message] = []
        self._size = 0
        self._resumes = 0.0  # by the loop's clock

    async def add(self, message: Message, packet: bytes | str) -> None:
        """packet: as it came, for its size."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._share.begin()
            loop.call_soon(self._hand_on)  # after all that can be read without waiting
        self._waiting.append(message)
        self._size += weight(packet)
        if self._size >= AT_ONCE or loop.time() < self._resumes:
            await asyncio.sleep(self._resumes - loop.time())

    def _hand_on(self) -> None:
        messages, self._waiting, self._size = self._waiting, [], 0
        self._heed(messages)
        rest = self._share.rest()
        if rest:
            self._flooded(messages)
            self._resumes = asyncio.get_running_loop().time() + rest
