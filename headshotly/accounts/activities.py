"""What accounts process, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

ACCOUNT = declare(
    Activity(
        id="account",
        title="Customer account",
        purpose="To let a customer sign in, be written to, and find their own pictures.",
        people=("customers",),
        data=("name", "e-mail address", "password hash", "times of signing up and confirming"),
        basis=LegalBasis.CONTRACT,
        retention="Until the customer deletes the account.",
        measures=("3.1.a", "3.2.a", "5.3.a", "10.1"),
    )
)
SIGN_IN_PROTECTION = declare(
    Activity(
        id="sign-in-protection",
        title="Protection of sign-in",
        purpose="To slow down guessing of passwords.",
        people=("customers", "visitors"),
        data=("blinded pair of address and network address", "number of failures"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="Until the next successful sign-in.",
    )
)
for _field in ("id", "email_sealed", "email_index", "name_sealed", "password", "last_login"):
    keeps(f"accounts.Customer.{_field}", activity=ACCOUNT.id)
keeps("accounts.SignInAttempt.key", activity=SIGN_IN_PROTECTION.id)
