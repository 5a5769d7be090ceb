"""Waiting for the futures of other threads, without missing Ctrl-C."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.5
"""The kernel may give a signal to another thread than the main one, as while that starts a thread. The main thread
then goes on waiting for its lock, and handles the signal only when it next wakes by itself."""


def as_completed(futures: Iterable[Future[T]]) -> Iterator[Future[T]]:
    """Give the futures as they complete, like the function of that name in concurrent.futures."""
    left = set(futures)
    while left:
        done, left = wait(left, POLL_S, FIRST_COMPLETED)
        yield from done


def result_of(future: Future[T]) -> T:
    """Wait for the future and return its result, or raise its exception."""
    return next(as_completed([future])).result()
