"""The activities of the consent register itself."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

CONSENT_REGISTER = declare(
    Activity(
        id="consent-register",
        title="Record of consents",
        purpose="To show that a consent was given, to which text, and when it was taken back (GDPR 7(1)).",
        people=("customers",),
        data=("pseudonym", "activity", "version of the text", "times of giving and withdrawing"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="Until the account is deleted; the journal then keeps the pseudonymous entry.",
    ),
)
keeps("purposes.Consent.subject", activity=CONSENT_REGISTER.id)
keeps("purposes.Restriction.subject", activity=CONSENT_REGISTER.id)
keeps("purposes.RetentionChoice.subject", activity=CONSENT_REGISTER.id)

# The journal lies below this room and cannot declare itself.
JOURNAL = declare(
    Activity(
        id="journal",
        title="Journal of every access",
        purpose="To show who opened whose data, when and why, and that nobody changed the record (GDPR 5(2), 32).",
        people=("customers", "staff"),
        data=("pseudonym", "act and its reason", "time", "ids of opened objects"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="For good, under pseudonyms only; once the customer's key is destroyed nothing leads back to them.",
        source="the service itself",
    )
)
for _place in ("Entry.subject", "Entry.leaf", "Entry.sealed_details"):
    keeps(f"audit.{_place}", activity=JOURNAL.id)

GOVERNANCE = declare(
    Activity(
        id="governance",
        title="Impact assessments and risks",
        purpose="To assess risky processing beforehand and to keep a register of risks (GDPR 24, 35).",
        people=("staff",),
        data=("pseudonyms of author, adviser and approver", "what they wrote"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="As long as the activity runs, and three years after.",
        measures=("1.1.b", "1.1.e", "5.3.a"),
    )
)
