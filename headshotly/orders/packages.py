"""What can be bought. Prices are gross: what a customer reads is what a customer pays."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.orders.errors import PackageUnknown
from headshotly.orders.money import Money
from headshotly.policy import configuration

SEATS_MAX = 100
VAT_PERCENT = 23  # Poland's standard rate; with Stripe Tax on, Stripe works out the customer's own
PROMISED_HOURS = 24
REFUND_DAYS = 14


@dataclass(frozen=True, slots=True)
class Package:
    """One thing on the price list.

    Attributes:
        id: stable short name.
        title: what a customer reads.
        about: one sentence.
        price: of one, gross.
        headshots: how many headshots one holds; for a team, each seat.
        seats_min: 1 for one person; 2 or more for a team.
    """

    id: str
    title: str
    about: str
    price: Money
    headshots: int
    seats_min: int = 1

    @property
    def for_team(self) -> bool:
        """Say whether it is bought by seats."""
        return self.seats_min > 1


PACKAGES: dict[str, Package] = {
    one.id: one
    for one in (
        Package("personal", noop("Personal"), noop("One person, every style, yours to keep."), Money(2900), 40),
        Package(
            "team", noop("Team"), noop("A link for each colleague; nobody sees another's pictures."), Money(2400), 40, 2
        ),
    )
}


def package(package_id: str) -> Package:
    """Return a package.

    Raises:
        PackageUnknown: there is none of this name.
    """
    found = PACKAGES.get(package_id)
    if found is None:
        raise PackageUnknown(_("There is no such package."))
    return found


def trial_headshots() -> int:
    """Return how many headshots everybody may have for nothing (option ``orders.trial_headshots``)."""
    return int(configuration.current().options.get("orders.trial_headshots", "4"))
