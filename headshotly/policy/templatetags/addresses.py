"""``{% url %}``, with the work of finding an address done once in a process; settings put it in Django's place.

A page of pictures has dozens of addresses, and Django walks the map of the site for each. An address of a name alone is
kept; one of a name and an identifier is kept with a stand-in, which the identifier then takes the place of. Everything
else is left to Django. Addresses depend on no language here, and on no visitor.
"""

import functools
from typing import Any
from uuid import UUID

from django import template
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

_STAND_IN = UUID("5ad1e57a-0d1d-4b0e-8e57-0f0a57a0d1d5")
_KEPT_MAX = 2000
register = template.Library()


@functools.lru_cache(maxsize=_KEPT_MAX)
def _found(name: str, app: str | None, identified: bool, _site: tuple[str | None, str]) -> str:
    """Return an address; ``_site`` is there to be part of what it is kept by."""
    return reverse(name, args=[_STAND_IN] if identified else None, current_app=app)


def address(name: str, app: str | None, identifier: UUID | None = None) -> str:
    """Return the address of a view.

    Args:
        name: of the view.
        app: namespace of the page it stands on, as Django's ``current_app``.
        identifier: the view's one argument, if it has one.

    Raises:
        NoReverseMatch: there is none.
    """
    kept = _found(name, app, identifier is not None, (get_urlconf(), get_script_prefix()))
    return kept if identifier is None else kept.replace(str(_STAND_IN), str(identifier))


class AddressNode(URLNode):
    """Django's own node, which asks here first."""

    def render(self, context: Any) -> str:
        """Return the address, or put it where the tag says."""
        name, arguments = self.view_name.resolve(context), [each.resolve(context) for each in self.args]
        identified = len(arguments) == 1 and type(arguments[0]) is UUID
        if self.kwargs or not isinstance(name, str) or (arguments and not identified):
            return str(super().render(context))
        request = getattr(context, "request", None)
        match = getattr(request, "resolver_match", None)
        app = getattr(request, "current_app", match.namespace if match else None)
        try:
            found = address(name, app, arguments[0] if identified else None)
        except NoReverseMatch:
            if self.asvar is None:
                raise
            found = ""
        if self.asvar:
            context[self.asvar] = found
            return ""
        return conditional_escape(found) if context.autoescape else found


@register.tag
def url(parser: Any, token: Any) -> AddressNode:
    """Read the tag as Django does."""
    read = django_url(parser, token)
    return AddressNode(read.view_name, read.args, read.kwargs, read.asvar)
