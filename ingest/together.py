"""Work that many ask for at once, done in batches: whoever comes while some are on their way is in the next.

One sync of a disk then serves many, and nobody waits for a clock. Whoever asks for the very thing that is in hand gets its answer, and
whoever gives up waiting does not stop what they asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final, Generic, TypeVar

from ingest.errors import IngestError

_BATCHES_AT_ONCE: Final = 2  # one is at the disk while the other is read and written; with more, each serves fewer
_MOST: Final = 100

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Together(Generic[Asked, Answered]):
    """``work`` answers a batch in its order, with an exception in the place of one that fails alone.

    What it raises of ours all get, since what they lean on is away. Of anything else one of them may be the cause: each is then done by
    itself. So ``work`` must bear being asked for the same again.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answered | Exception]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Answered]]] = []
        self._in_hand: dict[Hashable, asyncio.Future[Answered]] = {}
        self._running = set[asyncio.Task[None]]()

    async def __call__(self, asked: Asked, same: Hashable = None) -> Answered:
        """The answer to one, or its exception. What is ``same`` as what is in hand is done once for all who ask; None is like nothing else."""
        answer = self._in_hand.get(same)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            answer.add_done_callback(_seen)
            if same is not None:
                self._in_hand[same] = answer
                answer.add_done_callback(lambda _: self._in_hand.pop(same))
            self._waiting.append((asked, answer))
            if len(self._running) < _BATCHES_AT_ONCE:
                task = asyncio.create_task(self._run())
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        return await asyncio.shield(answer)

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            answers = await self._answers([asked for asked, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _answers(self, batch: Sequence[Asked]) -> Sequence[Answered | Exception]:
        try:
            return await self._work(batch)
        except IngestError as error:
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            return [error] if len(batch) == 1 else [answer for each in batch for answer in await self._answers([each])]


def _seen(answer: asyncio.Future[Any]) -> None:
    """Whoever asked may have gone; an exception that nobody takes is then no fault."""
    answer.exception()
