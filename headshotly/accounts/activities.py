"""What accounts process, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, TimeLimit, declare, keeps

ACCOUNT = declare(
    Activity(
        id="account",
        title="Customer account",
        purpose="To let a customer sign in, be written to, and find their own pictures.",
        people=("customers",),
        data=(
            "name",
            "e-mail address",
            "password hashes",
            "second factors",
            "times of signing up and confirming",
        ),
        basis=LegalBasis.CONTRACT,
        retention="Until the customer deletes the account, or as long unused as the customer chose.",
        measures=("3.1.a", "3.2.a", "5.3.a", "10.1"),
        limits=(
            TimeLimit(
                id="unused-account", title="Your account, if you do not sign in", days=None, choices=(None, 365, 730)
            ),
        ),
    )
)
SIGN_IN_PROTECTION = declare(
    Activity(
        id="sign-in-protection",
        title="Protection of sign-in",
        purpose="To slow down guessing of passwords.",
        people=("customers", "visitors"),
        data=("blinded pair of address and network address", "number of failures", "kind of browser and device"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="Failures for a day, sessions until they end or the account is deleted.",
        limits=(TimeLimit(id="sign-in-traces", title="Traces of failed sign-ins and ended sessions", days=1),),
    )
)
_ACCOUNT_FIELDS = (
    "Customer.id",
    "Customer.email_sealed",
    "Customer.email_index",
    "Customer.new_email_sealed",
    "Customer.new_email_index",
    "Customer.name_sealed",
    "Customer.password",
    "Customer.last_login",
    "Customer.totp_sealed",
    "PastPassword.customer",
    "PastPassword.password",
    "RecoveryCode.customer",
    "RecoveryCode.index",
    "Passkey.customer",
    "Passkey.credential_id",
    "Passkey.public_key",
)
_PROTECTION_FIELDS = (
    "SignInAttempt.key",
    "PasskeyChallenge.about",
    "CustomerSession.session_data",
    "CustomerSession.subject",
    "CustomerSession.device",
)
for _field in _ACCOUNT_FIELDS:
    keeps(f"accounts.{_field}", activity=ACCOUNT.id)
for _field in _PROTECTION_FIELDS:
    keeps(f"accounts.{_field}", activity=SIGN_IN_PROTECTION.id)
