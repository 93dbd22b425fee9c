"""The link's contract as an OpenAPI document, made from the types that read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from simulators.bank.core import TILL_ROUTES, WALLET_ROUTES, Route
from simulators.bank.messages import Message, Refusal

VERSION = "1.0.0"

DESCRIPTION = (
    "How a till and the bank talk. What a schema cannot say, such as how a message is "
    "signed and sealed and what the bank promises, is in bank-link.md."
)

REFUSALS = {
    400: "Malformed.",
    401: "Certificate, signature, nonce or clock.",
    409: "The idempotency key came with another body before.",
    413: "Too large.",
    422: "Not accepted as it stands.",
    503: "Says nothing about the payment: ask.",
}

SIGNED_HEADERS = {
    "idempotency-key": "A UUID in lower case.",
    "content-digest": "RFC 9530, sha-256 over the bytes on the wire.",
    "signature-input": "RFC 9421, label and tag as bank-link.md says.",
    "signature": "RFC 9421.",
}

REFERENCE = "#/components/schemas/{name}"


def operation(path: str, route: Route) -> dict[str, Any]:
    """Return what FastAPI is to know of a route, for add_api_route."""
    is_till = path in TILL_ROUTES
    responses = {"200": _content(route.answers, "The decision, or what is booked.")}
    responses |= {str(status): _content(Refusal, why) for status, why in REFUSALS.items()}
    described: dict[str, Any] = {
        "requestBody": {"required": True, "content": _schema_of(route.takes)},
        "responses": responses,
    }
    if is_till:
        described["parameters"] = [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in SIGNED_HEADERS.items()
        ]
    return {
        "operation_id": path.removeprefix("/").replace("/", "_"),
        "summary": (route.takes.__doc__ or "").splitlines()[0],
        "tags": ["till" if is_till else "wallet"],
        "openapi_extra": described,
    }


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI document of an application's routes."""
    document = get_openapi(
        title="OpenTill bank link",
        version=VERSION,
        description=DESCRIPTION,
        routes=routes,
        tags=[
            {"name": "till", "description": "Signed; the client certificate names a till."},
            {"name": "wallet", "description": "The client certificate names a wallet."},
        ],
    )
    kinds: set[type[Message]] = {Refusal}
    for route in (*TILL_ROUTES.values(), *WALLET_ROUTES.values()):
        kinds |= {route.takes, route.answers}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=REFERENCE)
    document["components"] = {"schemas": dict(sorted(schemas.items()))}
    return document


def _content(kind: type, description: str) -> dict[str, Any]:
    return {"description": description, "content": _schema_of(kind)}


def _schema_of(kind: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(name=kind.__name__)}}}
