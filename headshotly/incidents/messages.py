"""What a call says on each channel, and the forms chats and pagers want. Pseudonyms and no details: chats are outside.

Forms: Slack incoming webhooks (``text``), Microsoft Teams workflows (adaptive card), PagerDuty Events API v2.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headshotly.incidents.phases import Severity

_PAGER_SEVERITY = {
    Severity.CRITICAL: "critical", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "info",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Summons:
    """What a call tells.

    Attributes:
        reference: of the case.
        severity: of the case.
        title: of the case.
        url: of the case in the console.
        step: of the ladder.
        on_call: handle of who is called; empty where nobody is on call.
        exercise: it is only practised.
    """

    reference: str
    severity: Severity
    title: str
    url: str
    step: int
    on_call: str
    exercise: bool

    @property
    def headline(self) -> str:
        """Return the one line that counts."""
        mark = "EXERCISE: " if self.exercise else ""
        return f"{mark}{self.severity.label} incident {self.reference}: {self.title}"

    @property
    def text(self) -> str:
        """Return the call in plain words."""
        who = (
            f"{self.on_call} is on call." if self.on_call else "Nobody is on call: whoever reads this, please take it."
        )
        again = "" if self.step == 1 else f" Nobody has taken it yet (step {self.step})."
        return f"{self.headline}\n\n{who}{again}\nTake it: {self.url}"


def slack(summons: Summons) -> dict[str, Any]:
    """Return the message as Slack's incoming webhooks take it; what people typed is no markup there."""
    safe = summons.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": safe, "unfurl_links": False}


def teams(summons: Summons) -> dict[str, Any]:
    """Return the message as a Teams workflow takes it: one adaptive card."""
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True, "text": summons.headline},
            {"type": "TextBlock", "wrap": True, "text": summons.text.partition("\n\n")[2]},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open the case", "url": summons.url}],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def pager(summons: Summons, *, routing_key: str, once: UUID) -> dict[str, Any]:
    """Return the event as PagerDuty's Events API v2 takes it; one case is one page, however often it is called."""
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": f"headshotly-{summons.reference}",
        "client": "HeadShotly",
        "client_url": summons.url,
        "payload": {
            "summary": summons.headline[:1024],
            "source": "headshotly",
            "severity": _PAGER_SEVERITY[summons.severity],
            "custom_details": {"step": summons.step, "call": str(once)},
        },
    }


def pager_news(summons: Summons, *, routing_key: str, action: str) -> dict[str, Any]:
    """Return the event that stops a page (``acknowledge``) or ends it (``resolve``); it names the page and no more."""
    return {"routing_key": routing_key, "event_action": action, "dedup_key": f"headshotly-{summons.reference}"}


FORMS = {"slack": slack, "teams": teams}
