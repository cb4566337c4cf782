"""What is made of a portal's rows and kept by this process, until the version it was made of moves."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection
from sqlalchemy.pool import Pool

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each with the version that it was made of. Safe to share between threads.

    The version has to be read before what the value is made of: a value may then be newer than its version,
    never older. What an open transaction has changed itself must not be remembered: it may come to nothing.
    """

    def __init__(self, most: int, size: Callable[[V], int] = lambda _: 1) -> None:
        """most: the sum of sizes of one database's values; the one not asked for longest goes first."""
        self._most = most
        self._size = size
        self._lock = Lock()
        self._databases: WeakKeyDictionary[Pool, LRUCache[Hashable, tuple[Hashable, V]]] = WeakKeyDictionary()

    def of(self, conn: Connection, key: Hashable, version: Hashable, make: Callable[[], V]) -> V:
        """The value of this key and version, made now unless it is known."""
        with self._lock:
            values = self._values(conn.engine.pool)
            known = values.get(key)
        if known is not None and known[0] == version:
            return known[1]
        made = make()
        if self._size(made) <= self._most:
            with self._lock:
                values[key] = (version, made)
        return made

    def _values(self, pool: Pool) -> LRUCache[Hashable, tuple[Hashable, V]]:
        values = self._databases.get(pool)
        if values is None:
            values = LRUCache(self._most, getsizeof=lambda kept: self._size(kept[1]))
            self._databases[pool] = values
        return values
