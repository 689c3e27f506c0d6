"""Verdicts and ways of knowing, as the trust page calls them."""

from django import template

from headshotly.policy.wording import LANGUAGES, language, told
from headshotly.proof.findings import Assurance, Environment
from headshotly.proof.trust_words import ASSURANCES, KINDS, PLACES, VERDICTS, Said
from headshotly.proof.verdicts import Verdict

register = template.Library()


@register.filter
def shown_as(verdict: Verdict) -> Said:
    """Return how a verdict is shown."""
    return VERDICTS[verdict]


@register.filter
def known_by(assurance: Assurance) -> str:
    """Return what a way of knowing is called."""
    return ASSURANCES[assurance][0]


@register.filter
def place(environment: Environment) -> str:
    """Return where something was seen, in words."""
    return PLACES[environment]


@register.filter
def kind_of(kind: str) -> str:
    """Return who makes a promise true, in words."""
    return KINDS[kind]


@register.filter
def spoken_in(words: str) -> str:
    """Return the language in which ``said`` gives some words: English where the catalogue has no others."""
    here = language()
    return LANGUAGES[0] if told(words) == words else here
