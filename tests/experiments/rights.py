"""Which right a request to the API needs, as its authorizer sees it."""

from __future__ import annotations

from fixtures.safety.preflight import Permission

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
EVERYBODYS = ("/healthz", "/readyz", "/version", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")


def right(method: str, path: str) -> Permission | None:
    """None for what every authenticated user may."""
    if path in EVERYBODYS:
        return None
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = "/".join([rest[0], *rest[2:3]])
    one = len(rest) > 1
    verb = VERBS.get(method) or {"GET": ("list", "get"), "DELETE": ("deletecollection", "delete")}[method][one]
    return Permission(verb, resource, group, namespace, rest[1] if one and rest[0] == "namespaces" else "")


def covers(granted: Permission, needed: Permission) -> bool:
    """Whether one right includes another."""
    same = (granted.verb, granted.resource, granted.group) == (needed.verb, needed.resource, needed.group)
    return same and granted.namespace in ("", needed.namespace) and granted.name in ("", needed.name)
