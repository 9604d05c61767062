"""Shards shared out among processes: whoever is done with one takes the next."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final, TypeVar

_THREADS: Final = Path("/proc/self/task")

Result = TypeVar("Result")
Work = Callable[..., Result]


class _Share:
    """What a process of its own knows of the others: how many shards were taken."""

    taken: "Synchronized[int]"


def shared_out(processes: int, shards: Callable[[], Sequence[int]], work: Work[Result], *more: object) -> list[Result]:
    """What `work(shards, *more)` gives in each of the processes; each takes its shards from those that are left.

    `shards` is asked once, after the processes were started. Raises what `work` raises.
    """
    if processes == 1:
        return [work(shards(), *more)]
    context = get_context(_start_method())
    with ProcessPoolExecutor(processes, context, _begin, (context.Value("i", 0),)) as pool:
        pool.submit(int).result()
        order = shards()
        return list(pool.map(_work, *([each] * processes for each in (work, order, more))))


def _start_method() -> str:
    """Fork where nothing else runs in this process: what it has imported is there at once. Else start afresh."""
    alone = _THREADS.is_dir() and len(list(_THREADS.iterdir())) == 1
    return "fork" if alone else "spawn"


def _begin(taken: "Synchronized[int]") -> None:
    _Share.taken = taken
    # Replay makes millions of objects and no cycles, and looking for them finds none.
    gc.disable()


def _work(work: Work[Result], order: Sequence[int], more: Iterable[object]) -> Result:
    return work(_left(order), *more)


def _left(order: Sequence[int]) -> Iterator[int]:
    """Shards that nobody has taken, one after the other, as they are asked for."""
    while True:
        with _Share.taken.get_lock():
            place = _Share.taken.value
            _Share.taken.value += 1
        if place >= len(order):
            return
        yield order[place]
