"""The archive of legal documents: every version at an address that stays, and what changed between two."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.rights import legal_texts
from headshotly.rights.errors import NotFound
from headshotly.rights.legal_texts import Version


def _versions(document: str) -> list[Version]:
    if document not in legal_texts.TITLES:
        raise NotFound("There is no such document.")
    return legal_texts.versions(document)


def _version(document: str, version: str) -> Version:
    for one in _versions(document):
        if one.version == version:
            return one
    raise NotFound("There is no such version.")


def _lines(body: str) -> list[tuple[int, str]]:
    """Return a text line by line with the level of each heading, zero for what is none."""
    found = []
    for line in filter(None, body.splitlines()):
        marks = len(line) - len(line.lstrip("#"))
        found.append((marks, line.lstrip("# ") if marks else line))
    return found


@permission("public")
@enforces("11.a-c")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List every document with all its versions."""
    documents = [(name, title, legal_texts.versions(name)) for name, title in legal_texts.TITLES.items()]
    return render(request, "rights/documents.html", {"documents": documents})


@permission("public")
@require_safe
def document(request: HttpRequest, document: str) -> HttpResponse:
    """Show the newest version of a document."""
    return version(request, document, _versions(document)[0].version)


@permission("public")
@enforces("11.a-c")
@require_safe
def version(request: HttpRequest, document: str, version: str) -> HttpResponse:
    """Show one version, as it was, with what changed against the one before."""
    shown = _version(document, version)
    older = [one for one in _versions(document) if one.version < version]
    context = {
        "title": legal_texts.TITLES[document],
        "shown": shown,
        "lines": _lines(shown.body),
        "older": older[0] if older else None,
        "changes": legal_texts.difference(older[0].body, shown.body) if older else [],
        "newest": _versions(document)[0].version,
    }
    return render(request, "rights/document.html", context)


@permission("public")
@require_safe
def comparison(request: HttpRequest, document: str, old: str, new: str) -> HttpResponse:
    """Show what changed between any two versions."""
    before, after = _version(document, old), _version(document, new)
    context = {
        "title": legal_texts.TITLES[document],
        "before": before,
        "after": after,
        "changes": legal_texts.difference(before.body, after.body),
    }
    return render(request, "rights/comparison.html", context)
