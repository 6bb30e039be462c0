"""Sets that grow together: who is linked to whom, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable


class Clusters:
    """Disjoint sets of whole numbers; one that was never joined is a set of its own.

    The smallest number of a set stands for it, whatever the order in which they were joined.
    """

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def find(self, number: int) -> int:
        """Return the smallest number of the set that a number is in."""
        top = number
        while (parent := self._parents.get(top, top)) != top:
            top = parent
        while number != top:
            self._parents[number], number = top, self._parents[number]
        return top

    def join(self, first: int, second: int) -> int:
        """Make one set of the sets of two numbers, and return what stands for it."""
        low, high = sorted((self.find(first), self.find(second)))
        if low != high:
            self._parents[high] = low
        return low

    def sets(self, numbers: Iterable[int]) -> dict[int, list[int]]:
        """Return the sets that some numbers are in, each with those numbers, ascending."""
        found: dict[int, list[int]] = {}
        for number in sorted(set(numbers)):
            found.setdefault(self.find(number), []).append(number)
        return found
