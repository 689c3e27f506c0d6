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
