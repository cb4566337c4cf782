"""The words that the API's description is written in: JSON Schema and OpenAPI, made short."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def text(*, enum: list[str] | None = None, **more: Any) -> Json:
    return {"type": "string", **({"enum": enum} if enum else {}), **more}


def maybe(schema: Json) -> Json:
    """The schema, or null."""
    if "type" in schema and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def obj(required: list[str] | None = None, **properties: Json) -> Json:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def list_of(items: Json) -> Json:
    return {"type": "array", "items": items}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "required": required}


def in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "schema": schema, "required": True}


def answer(schema: Json, description: str = "The answer") -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def refused(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def body(schema: Json, media_type: str = "application/json") -> Json:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def get(summary: str, found: Json, *parameters: Json, statuses: tuple[int, ...] = (401,)) -> Json:
    """A reading operation: its answer, its parameters, and the statuses it may refuse with."""
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": found, **refused(*statuses)},
    }


INT: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
NUMBER: Json = {"type": "number"}
DAY = text(format="date")
MONTH = text(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")
MOMENT = text(format="date-time")
AMOUNT: Json = {"type": ["integer", "string", "null"]}
PLANNED: Json = {"type": ["number", "string", "null"]}
"""As an amount; of counts and seconds a plan can be a part of one."""
SHARE = maybe(text())
SCOPE = text(pattern=r"^(company|user:[0-9]+|department:[0-9]+)$")
PERSON = maybe(obj(["id", "name"], id=INT, name=text()))
