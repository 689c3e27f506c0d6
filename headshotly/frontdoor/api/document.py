"""The OpenAPI document: what ninja makes of the operations, and what every one of them shares."""

import json
import re
from typing import Any

from ninja.operation import Operation

from headshotly.frontdoor.api import problems, schemas
from headshotly.frontdoor.api.once import HEADER
from headshotly.frontdoor.api.operations import api
from headshotly.frontdoor.api.service import CustomerToken
from headshotly.integrations.webhooks import EVENTS

_PROBLEM_ITSELF = {
    "description": "What went wrong",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
# Problems with headers that a program acts on, by status; each is a component of this name.
_MORE_TOLD = {
    "401": ("NoToken", ["WWW-Authenticate"]),
    "403": ("Forbidden", ["WWW-Authenticate"]),
    "429": ("TooOften", ["RateLimit", "RateLimit-Policy", "Retry-After"]),
    "503": ("NotNow", ["Retry-After"]),
}
_HEADERS = {
    "RateLimit": ("What is left of the allowance, and for how many seconds", {"type": "string"}),
    "RateLimit-Policy": ("How many requests there may be in how many seconds", {"type": "string"}),
    "ETag": ("Names this content; send it back in If-None-Match", {"type": "string"}),
    "Location": ("Where the new thing is", {"type": "string"}),
    "Retry-After": ("How many seconds to wait before asking again", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("Which scope a token lacks (RFC 6750)", {"type": "string"}),
    "Idempotency-Replayed": ("The request was done before, and this was its answer", {"const": "true"}),
}
_FILES = {
    "get_photo_preview": "image/jpeg",
    "download_result": "image/jpeg",
    "download_export": "application/zip",
}
_WITH_BODY = {"post"}
_CONVERTER = re.compile(r"\{\w+:")
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Chosen by the program, up to 255 printable characters; the same request sent again within a day "
    "with the same key is done once and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def _errors(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    """Return the statuses an operation may refuse with."""
    found = ["400", "401", "403", "429", "503"]
    if "{" in path or path.endswith(("/deletion", "/results")) or (method, path) == ("post", "/jobs"):
        found.append("404")
    if method in _WITH_BODY or "{" in path:
        found += ["409"]
    if method in _WITH_BODY or operation["parameters"]:
        found += ["422"]
    if method in _WITH_BODY:
        found += ["402", "413", "415"]
    return found


def _named(headers: list[str]) -> dict[str, Any]:
    return {one: {"$ref": f"#/components/headers/{one}"} for one in headers}


def _complete(method: str, path: str, operation: dict[str, Any], scope: str) -> None:
    operation["security"] = [{CustomerToken.__name__: [scope] if scope else []}]
    responses = operation["responses"] = {str(status): value for status, value in operation["responses"].items()}
    media_type = _FILES.get(operation["operationId"])
    if media_type:
        responses["200"]["content"] = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    if method == "get" and not path.endswith(("/exports/{export_id}/file",)):
        responses["304"] = {"description": "It has not changed since the ETag named in If-None-Match"}
    for status in _errors(method, path, operation):
        name = _MORE_TOLD[status][0] if status in _MORE_TOLD else "Problem"
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
    if operation["parameters"]:  # said by the web server itself, before any request is understood
        responses["414"] = {"description": "The address is longer than 4094 characters"}
    named = ["RateLimit", "RateLimit-Policy"] + (["ETag"] if "304" in responses else [])
    if method == "post":
        operation["parameters"].append(_KEY)
        named.append("Idempotency-Replayed")
    for status in ("200", "201", "202", "204"):
        if status in responses:
            new = ["Location"] if status in {"201", "202"} else []
            responses[status]["headers"] = _named(named + new)
    operation["responses"] = dict(sorted(responses.items()))


def _events() -> dict[str, Any]:
    """Return what endpoints are sent (OpenAPI 3.1, ``webhooks``)."""
    message = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                "type": "object",
                "properties": {
                    name: {"type": "string", "format": "uuid"} for name in ("job_id", "export_id", "seat_id")
                },
            },
        },
    }
    return {
        name: {
            "post": {
                "summary": title,
                "operationId": f"on_{name.replace('.', '_')}",
                "description": "Signed as Standard Webhooks says: webhook-id, webhook-timestamp, webhook-signature.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": message}}},
                "responses": {
                    "2XX": {"description": "Taken. Anything else is sent again, for most of a day."},
                    "410": {"description": "Gone: nothing more is sent until the endpoint is resumed."},
                },
            }
        }
        for name, title in EVENTS.items()
    }


def scopes_of_operations() -> dict[tuple[str, str], str]:
    """Return the scope of every operation by method and path; empty where any valid token will do."""
    found = {}
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                (asked,) = operation.auth_callbacks
                for method in operation.methods:
                    found[method.lower(), _plain(path)] = asked.scope  # type: ignore[attr-defined]  # ours alone
    return found


def operations() -> list[dict[str, str]]:
    """Return method, path, scope, summary and tag of every operation, as the page about the API lists them."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "scope": scope,
            "summary": _operation(method, path).summary,
            "tag": (_operation(method, path).tags or [""])[0],
        }
        for (method, path), scope in scopes_of_operations().items()
    ]


def _operation(method: str, path: str) -> Operation:
    return next(
        operation
        for bound in api._get_bound_routers()
        for where, view in bound.path_operations.items()
        for operation in view.operations
        if _plain(where) == path and method.upper() in operation.methods
    )


def _plain(path: str) -> str:
    return _CONVERTER.sub("{", path)


def document() -> dict[str, Any]:
    """Return the whole document; it names no server, for it is served by the one it describes."""
    made = json.loads(json.dumps(api.get_openapi_schema(path_prefix=""), default=str))
    made["info"]["license"] = {"name": "Proprietary"}
    made["servers"] = [{"url": problems.PREFIX.rstrip("/")}]
    made["components"]["schemas"]["Problem"] = schemas.Problem.model_json_schema()
    made["components"]["responses"] = {"Problem": _PROBLEM_ITSELF} | {
        name: {**_PROBLEM_ITSELF, "headers": _named(headers)} for name, headers in _MORE_TOLD.values()
    }
    made["components"]["headers"] = {
        name: {"description": about, "schema": schema} for name, (about, schema) in _HEADERS.items()
    }
    scopes = scopes_of_operations()
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(method, path, operation, scopes[method, path])
    made["webhooks"] = _events()
    return dict(made)


def as_text() -> str:
    """Return the document as it is committed and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
