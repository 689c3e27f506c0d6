"""What answering rights processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, TimeLimit, declare, keeps

REQUESTS = declare(
    Activity(
        id="rights-requests",
        title="Requests about personal data",
        purpose="To answer requests about personal data in time, and to show that we did (GDPR 12, 11 CCR 7101).",
        people=("customers", "people without an account", "authorised agents"),
        data=("pseudonym", "kind of request", "dates", "outcome", "what was written, sealed"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="24 months; what was written goes earlier, with the account.",
        measures=("1.2.c", "3.1.a", "3.2.a", "5.1.a", "5.3.a"),
        limits=(TimeLimit(id="requests", title="Record of your requests", days=731),),
    )
)
EXPORTS = declare(
    Activity(
        id="exports",
        title="Copies for customers",
        purpose="To give customers a copy of everything they may take along (GDPR 15(3), 20).",
        people=("customers",),
        data=("everything held about the customer, packed and sealed",),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="Seven days after it is ready.",
        measures=("1.2.c", "3.1.a", "3.2.a", "5.3.a"),
        limits=(TimeLimit(id="exports", title="Copies packed for you", days=7),),
    )
)
LEGAL_MAIL = declare(
    Activity(
        id="legal-notices",
        title="News about policy and notices",
        purpose="To tell every customer when the policy or a notice changes, and to show that we did.",
        people=("customers",),
        data=("pseudonym", "e-mail address while a mail is sent", "time and result of the delivery"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="24 months after the mail.",
        measures=("11.a-c", "3.2.a", "5.3.a"),
        limits=(TimeLimit(id="legal-mail", title="Record of notices mailed to you", days=731),),
    )
)
for _field in ("subject", "proof_sha256", "words", "reply", "extended_because"):
    keeps(f"rights.RightsRequest.{_field}", activity=REQUESTS.id)
for _place in ("PrivacyChoice.subject", "ErasurePlan.subject"):
    keeps(f"rights.{_place}", activity=REQUESTS.id)
keeps("rights.Export.subject", activity=EXPORTS.id)
keeps("object:export", activity=EXPORTS.id)
keeps("rights.Delivery.subject", activity=LEGAL_MAIL.id)
