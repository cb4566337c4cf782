"""Packing calls into the commands of a batch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.rest.calls import Call, chunks, named, pack, unpack

KEYS = st.text("aZя0>!%&=#?+. $\n\"'", min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(TEXTS, lambda inner: st.dictionaries(KEYS, inner, min_size=1), max_leaves=8)
CALLS = st.builds(
    Call, st.from_regex(r"[a-z]{2,5}(\.[a-z]{2,8}){0,2}", fullmatch=True), st.dictionaries(KEYS, VALUES)
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, CALLS, max_size=8))
def test_packing_then_unpacking_changes_nothing(calls: dict[str, Call]) -> None:
    assert unpack(pack(calls)) == calls


@given(st.lists(TEXTS, min_size=1))
def test_a_list_keeps_its_order(values: list[str]) -> None:
    packed = unpack(pack({"a": Call("m.list", {"select": values})}))
    assert packed["a"].params == {"select": {str(i): value for i, value in enumerate(values)}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (False, "0"),
        (7, "7"),
        (-1, "-1"),
        (Decimal("1.50"), "1.50"),
        ("Д&#?=%", "%D0%94%26%23%3F%3D%25"),
    ],
)
def test_values_become_the_text_that_php_understands(value: Any, text: str) -> None:
    assert pack({"a": Call("m", {"v": value})})["a"] == f"m?v={text}"


def test_operators_and_references_reach_the_portal_whole() -> None:
    call = Call("crm.item.list", {"filter": {">id": "$result[p_0][items][49][id]"}, "start": -1})
    assert pack({"a": call})["a"] == ("crm.item.list?filter[%3Eid]=$result[p_0][items][49][id]&start=-1")


def test_nothing_is_said_about_none_and_empty_maps() -> None:
    assert pack({"a": Call("profile", {"filter": {}, "x": None})})["a"] == "profile"


def test_an_empty_list_is_refused_because_php_would_drop_the_filter() -> None:
    with pytest.raises(ValueError, match="empty list"):
        pack({"a": Call("crm.item.list", {"filter": {"@id": []}})})


@pytest.mark.parametrize("name", ["0", "a.b", "a[b]", "", "a b"])
def test_names_that_php_would_change_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        pack({name: Call("profile")})


def test_more_than_fifty_commands_are_refused_and_chunks_are_not() -> None:
    calls = {f"c{i}": Call("profile") for i in range(120)}
    with pytest.raises(ValueError, match="50"):
        pack(calls)
    assert [len(chunk) for chunk in chunks(calls)] == [50, 50, 20]
    assert [name for chunk in chunks(calls) for name in chunk] == list(calls)


def test_positional_parameters_keep_their_places() -> None:
    call = Call("task.elapseditem.getlist", [1, {"ID": "desc"}, {">ID": 5}])
    assert pack({"a": call})["a"] == "task.elapseditem.getlist?0=1&1[ID]=desc&2[%3EID]=5"
    assert named(call.params) == {"0": 1, "1": {"ID": "desc"}, "2": {">ID": 5}}


@pytest.mark.parametrize(
    ("call", "is_read"),
    [
        (Call("crm.item.list"), True),
        (Call("CRM.ITEM.LIST"), True),
        (Call("profile"), True),
        (Call("department.get"), True),
        (Call("crm.item.add"), False),
        (Call("event.bind"), False),
        (Call("im.notify.system.add"), False),
        (Call("placement.unbind"), False),
        (Call("event.offline.list"), True),
        (Call("event.offline.get"), False),  # empties the queue
        (Call("event.offline.get", {"clear": 0}), True),
    ],
)
def test_only_what_changes_nothing_counts_as_reading(call: Call, is_read: bool) -> None:
    assert call.is_read is is_read
