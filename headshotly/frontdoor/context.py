"""What every page knows."""

from typing import Any

from django.http import HttpRequest

from headshotly.policy import configuration


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """Return the operator's facts, whether this is a test installation, and the visitor's privacy signal."""
    here = configuration.current()
    return {
        "operator": here.operator,
        "environment": here.environment,
        "gpc": getattr(request, "opted_out", False),
    }
