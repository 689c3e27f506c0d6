"""What customers' programs leave with us, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, TimeLimit, declare, keeps

PROGRAMS = declare(
    Activity(
        id="programs",
        title="Access for your own programs",
        purpose="To let programs of a customer's choosing use the service in their name, and tell them what happened.",
        people=("customers",),
        data=(
            "names of tokens, sealed",
            "what a token may do",
            "times of issue, use and end",
            "addresses of endpoints, sealed",
            "what was sent to them, and whether they took it",
            "answers to repeated requests, sealed",
            "number of requests",
        ),
        basis=LegalBasis.CONTRACT,
        recipients=("whoever runs the endpoint that the customer named, who gets ids and events only",),
        retention="Tokens 90 days after they end, messages 30 days, answers a day, counts a day; all with the account.",
        measures=("2.4.a", "3.1.a", "3.2.a", "5.1.a", "5.3.a"),
        limits=(
            TimeLimit(id="access-tokens", title="Ended tokens of your programs", days=90),
            TimeLimit(id="webhook-log", title="Messages sent to your programs", days=30),
            TimeLimit(id="repeated-requests", title="Answers kept for repeated requests", days=1),
        ),
    )
)
_FIELDS = (
    "AccessToken.subject",
    "AccessToken.name",
    "AccessToken.scopes",
    "KeptAnswer.subject",
    "KeptAnswer.key_index",
    "KeptAnswer.request_index",
    "KeptAnswer.answer",
    "Allowance.subject",
    "WebhookEndpoint.subject",
    "WebhookEndpoint.url",
    "WebhookEndpoint.secret",
    "WebhookEndpoint.events",
    "WebhookDelivery.subject",
    "WebhookDelivery.about",
    "WebhookTrouble.subject",
    "WebhookTrouble.what",
)
for _field in _FIELDS:
    keeps(f"integrations.{_field}", activity=PROGRAMS.id)
