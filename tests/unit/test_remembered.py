"""Values that are kept while their version does not move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from b24app.store.remembered import Remembered

STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60)
"""(key, version) as they are asked for."""


@pytest.fixture(scope="module")
def database() -> Engine:
    return create_engine("sqlite://")


def made_of(*what: object) -> Callable[[], str]:
    return lambda: repr(what)


@given(steps=STEPS, most=st.integers(1, 4))
def test_the_value_is_always_that_of_the_version(database: Engine, steps: Any, most: int) -> None:
    memory: Remembered[str] = Remembered(most)
    with database.connect() as conn:
        for key, version in steps:
            assert memory.of(conn, key, version, made_of(key, version)) == repr((key, version))


def test_a_value_is_made_once_while_nothing_moves(database: Engine) -> None:
    memory: Remembered[int] = Remembered(10)
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    with database.connect() as conn:
        assert [memory.of(conn, "key", version, make) for version in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]


def test_databases_do_not_know_each_other(database: Engine) -> None:
    memory: Remembered[str] = Remembered(10)
    with database.connect() as one, create_engine("sqlite://").connect() as other:
        assert memory.of(one, "key", 1, made_of("one")) == repr(("one",))
        assert memory.of(other, "key", 1, made_of("other")) == repr(("other",))


def test_the_least_asked_for_goes_first_and_what_is_too_large_is_not_kept(database: Engine) -> None:
    memory: Remembered[str] = Remembered(10, size=len)
    made: list[str] = []

    def of(key: str, size: int) -> None:
        memory.of(conn, key, 1, lambda: made.append(key) or "x" * size)  # type: ignore[func-returns-value]

    with database.connect() as conn:
        for key, size in (
            ("a", 4),
            ("b", 4),
            ("a", 4),
            ("c", 4),
            ("a", 4),
            ("b", 4),
            ("huge", 11),
            ("huge", 11),
        ):
            of(key, size)
    assert made == ["a", "b", "c", "b", "huge", "huge"]


def test_what_fails_is_not_kept(database: Engine) -> None:
    memory: Remembered[int] = Remembered(10)
    with database.connect() as conn:
        with pytest.raises(ZeroDivisionError):
            memory.of(conn, "key", 1, lambda: 1 // 0)
        assert memory.of(conn, "key", 1, lambda: 5) == 5
