"""What the cash desk processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

PURCHASES = declare(
    Activity(
        id="purchases",
        title="Purchases",
        purpose="To sell headshots, take payment through Stripe, and give money back.",
        people=("customers",),
        data=(
            "pseudonym",
            "package",
            "amounts",
            "times",
            "Stripe's own ids of payment and payer",
            "whether the bill went abroad",
            "which seat of a team somebody took, and when",
        ),
        basis=LegalBasis.CONTRACT,
        recipients=(
            "Stripe Payments Europe, Ltd. (payments)",
            "whoever bought a team's seat, who learns whether it is taken and begun, and not by whom",
        ),
        retention="The pseudonym goes with the account; unpaid orders go after 30 days.",
        measures=("7.1.a", "7.1.b", "2.4.a"),
    )
)
ACCOUNTS = declare(
    Activity(
        id="bookkeeping",
        title="Bookkeeping",
        purpose="To keep the accounts the law asks for (Polish Accounting Act, Art. 74).",
        people=("customers",),
        data=("invoice number", "amounts", "date"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="Five years from the beginning of the year after the sale.",
        measures=("7.1.a",),
    )
)
for _place in ("Order.subject", "Order.billed_abroad", "Credit.subject", "Seat.subject"):
    keeps(f"orders.{_place}", activity=PURCHASES.id)
