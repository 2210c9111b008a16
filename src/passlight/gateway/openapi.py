"""The OpenAPI 3.1 document, made from the table of routes: ``python -m … [--check] FILE``."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from passlight.gateway.routes import ROUTES, RouteSpec
from passlight.gateway.schemas import Problem

REF = "#/components/schemas/{name}"
INFO = {
    "title": "Passlight gateway",
    "version": "1",
    "description": (
        "Codes, verification, check-ins and records. Authorization: DPoP (RFC 9449) with a grant"
        " that the office signed; every error is a Problem and never a colour."
    ),
}


def document() -> dict[str, Any]:
    """Return the document."""
    types = [spec.answer for spec in ROUTES]
    types += [spec.request for spec in ROUTES if spec.request is not None]
    _, components = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    paths: dict[str, Any] = {}
    for spec in ROUTES:
        paths.setdefault(spec.path, {})[spec.method.lower()] = _operation(spec)
    paths["/v/{token}"] = {"get": _VENUE_CODE}
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"grant": {"type": "http", "scheme": "DPoP"}},
        },
    }


def text() -> str:
    """Return the document as it is kept in ``api/openapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _operation(spec: RouteSpec) -> dict[str, Any]:
    answers = {str(status): _body("The answer.", spec.answer) for status in spec.statuses}
    refusals = {str(status): _body("Refused.", Problem) for status in spec.errors}
    for status in set(answers) & set(refusals):
        del refusals[status]
    operation: dict[str, Any] = {
        "operationId": spec.handler,
        "summary": spec.summary,
        "responses": {**answers, **refusals, "default": _body("Any other failure.", Problem)},
    }
    if spec.roles:
        operation["security"] = [{"grant": []}]
        operation["description"] = f"Needs a grant of role {' or '.join(sorted(spec.roles))}."
        operation["parameters"] = [_PROOF]
    if spec.query is not None:
        operation.setdefault("parameters", []).extend(_parameters(spec.query))
    if spec.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(spec.request)}},
        }
    return operation


def _parameters(query: Any) -> list[dict[str, Any]]:
    """Return the parameters of an address, from the struct that reads them."""
    _, components = msgspec.json.schema_components([query], ref_template=REF)
    schema = components[query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": form,
        }
        for name, form in schema["properties"].items()
    ]


def _body(description: str, schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": _ref(schema)}},
    }


def _ref(schema: Any) -> dict[str, str]:
    return {"$ref": REF.format(name=schema.__name__)}


_PROOF = {
    "name": "DPoP",
    "in": "header",
    "required": True,
    "description": "Proof of the device's key for this method and address (RFC 9449 4.2).",
    "schema": {"type": "string"},
}
_VENUE_CODE = {
    "operationId": "venueCode",
    "summary": "Where a phone's camera lands after reading a venue code.",
    "parameters": [
        {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}},
    ],
    "responses": {
        "303": {"description": "A good code: on to the resident's page."},
        "404": {"description": "Not good: a plain page.", "content": {"text/html": {}}},
    },
}


def main(arguments: list[str]) -> int:
    """Write the document to a file, or with ``--check`` return 1 when the file differs."""
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    if len(wanted) != 1 or set(arguments) - {*wanted, "--check"}:
        sys.stderr.write("usage: python -m passlight.gateway.openapi [--check] FILE\n")
        return 2
    file = Path(wanted[0])
    if "--check" not in arguments:
        file.write_text(text(), encoding="utf-8")
        return 0
    if file.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(
        f"{file} is not what the routes say: python -m passlight.gateway.openapi {file}\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
