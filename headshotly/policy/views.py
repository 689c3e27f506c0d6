"""The policy as one reads it, with the code behind each sentence."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from headshotly.policy.clauses import clause_of_sentence, sections, text_name
from headshotly.policy.enforcement import enforcers_of
from headshotly.policy.permission import permission


@permission("public")
@require_safe
def policy_page(request: HttpRequest) -> HttpResponse:
    """Show the text in force; beside each sentence its number, its kind and how much code enforces it."""
    parts = [
        {
            "level": section.level,
            "heading": section.heading,
            "sentences": [
                {"clause": clause, "enforcers": enforcers_of(clause.id)}
                for clause in map(clause_of_sentence, section.sentences)
            ],
        }
        for section in sections()
        if section.level > 1
    ]
    return render(request, "policy/policy.html", {"parts": parts, "effective": dt.date.fromisoformat(text_name()[:10])})
