"""What a browser says it is, coarse enough to tell devices apart in a list and no finer."""

from django.utils.translation import gettext_noop as noop

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """Return such as ``Firefox · Linux``; never a version, never an address."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), noop("A browser"))
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), noop("an unknown device"))
    return f"{browser} · {system}"
