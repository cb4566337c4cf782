"""Tickets: items of a pipeline of deals or of a smart process that serves as the help desk (`crm.item.list`).

No titles, no descriptions: of a rating only whether it is a good one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from b24app.facts import deals, values
from b24app.facts.values import Border, Row

CREATED = 1
"""`TYPE_ID` of the row of a history that an item begins with."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What an admin chose: one pipeline, and perhaps a field with the client's rating.

    `category_id` 0 of a smart process: whichever pipeline its items are in.
    """

    entity_type_id: int
    category_id: int
    rating_field: str | None = None
    positive_values: frozenset[str] = frozenset()

    @property
    def takes_all(self) -> bool:
        """Whether the items of every pipeline are tickets."""
        return self.category_id == 0 and self.entity_type_id != deals.ENTITY_TYPE_ID

    def takes(self, category_id: int) -> bool:
        """Whether items of this pipeline are tickets."""
        return self.takes_all or category_id == self.category_id


@dataclass(frozen=True, slots=True)
class Ticket:
    """An item of an entity type that has a help desk; `is_taken`: it is in one of them.

    `semantics`: P, S or F as the portal says, empty where it leaves that to the stage's own settings;
    `moved_at`: the last change of stage.
    """

    entity_type_id: int
    item_id: int
    category_id: int
    stage_id: str
    semantics: str
    owner_id: int
    created_at: int
    moved_at: int
    updated_at: int
    client: str | None
    is_positive: bool | None
    is_taken: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What a ticket's stage history tells. `moved_first_at`: when it first left the stage it was made in."""

    moved_first_at: int | None
    was_reopened: bool


def fields(desks: Iterable[Desk]) -> tuple[str, ...]:
    """What is asked of the portal about the items of these desks."""
    rated = {desk.rating_field for desk in desks if desk.rating_field is not None}
    return (
        "id", "assignedById", "categoryId", "stageId", "stageSemanticId", "createdTime", "movedTime",
        "updatedTime", "isRecurring", "companyId", "contactId", *sorted(rated),
    )  # fmt: skip


def has_original_names(desks: Iterable[Desk]) -> bool:
    """Whether a rating field is named as in the older methods: the portal is then asked for such names."""
    return any((desk.rating_field or "").startswith("UF_") for desk in desks)


def parse(row: Row, border: Border, entity_type_id: int, desks: Iterable[Desk]) -> Ticket:
    """The item in a row of `crm.item.list`. Raises: BadRow without an id or any moment.

    Items of other pipelines and recurring templates are no tickets: not taken.
    """
    item_id = values.required_id(row, "id")
    created, moved, updated = deals.moments(row, border)
    category_id = values.whole(row.get("categoryId")) or 0
    stage_id = values.text(row.get("stageId"), 64) or ""
    said = str(row.get("stageSemanticId") or "").upper()
    desk = next((d for d in desks if d.entity_type_id == entity_type_id and d.takes(category_id)), None)
    return Ticket(
        entity_type_id=entity_type_id,
        item_id=item_id,
        category_id=category_id,
        stage_id=stage_id,
        semantics=said if said in ("P", "S", "F") else "",
        owner_id=values.link(row.get("assignedById")) or 0,
        created_at=created,
        moved_at=moved,
        updated_at=updated,
        client=deals.client(row),
        is_positive=None
        if desk is None or desk.rating_field is None
        else rating(row.get(desk.rating_field), desk.positive_values),
        is_taken=desk is not None and not values.yes(row.get("isRecurring")),
    )


def rating(value: Any, positive: frozenset[str]) -> bool | None:
    """True for a value that counts as positive, False for any other, None for an empty field.

    A number 0 is an empty field, unless it was chosen as a positive value.
    """
    given = {text for text in map(_text, value if isinstance(value, list) else [value]) if text}
    if given & positive:
        return True
    return False if given - {"0"} else None


def course(history: Iterable[Row], border: Border, entity_type_id: int) -> Course:
    """What the rows of one item's stage history tell, in the order in which the portal wrote them.

    A history that does not begin with the creation begins with the first move that is known. Reopened: out
    of a final stage and into one that is not.
    """
    rows = sorted(history, key=lambda row: values.whole(row.get("ID")) or 0)
    moved_first_at: int | None = None
    was_reopened = was_final = False
    before: tuple[int, str] | None = None
    for row in rows:
        place = (values.whole(row.get("CATEGORY_ID")) or 0, values.text(row.get("STAGE_ID"), 64) or "")
        is_move = values.whole(row.get("TYPE_ID")) != CREATED if before is None else place != before
        if is_move and moved_first_at is None:
            moved_first_at = values.moment(row.get("CREATED_TIME"), border.zone)
        is_final = deals.semantics(row.get("STAGE_SEMANTIC_ID"), border, entity_type_id, *place) != "P"
        was_reopened = was_reopened or (was_final and not is_final)
        was_final, before = is_final, place
    return Course(moved_first_at, was_reopened)


def _text(value: Any) -> str | None:
    """The value as an admin would write it: 5 for 5, "5" and 5.0; None for nothing."""
    if value is None or value is False or isinstance(value, Mapping | list):
        return None
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None
