"""Money: whole minor units of one currency, never a fraction and never a float."""

import re
from dataclasses import dataclass

from django.utils.translation import get_language

_TYPED = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{2}))?")
_DIGITS = 2  # of the euro; a currency with others must be added here with its own
CURRENCY = "eur"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount.

    Attributes:
        minor: cents.
        currency: three lower-case letters, as Stripe writes them (ISO 4217).
    """

    minor: int
    currency: str = CURRENCY

    def __post_init__(self) -> None:
        """Refuse what is no whole number of cents.

        Raises:
            TypeError: a float or a boolean was given.
            ValueError: the currency is not one the house sells in.
        """
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("money is counted in whole minor units")
        if self.currency != CURRENCY:
            raise ValueError(f"the house sells in {CURRENCY}, not in {self.currency}")

    def __str__(self) -> str:
        """Return such as ``€29.00``, or ``29,00 €`` in Polish."""
        sign, amount = ("-", -self.minor) if self.minor < 0 else ("", self.minor)
        whole, rest = amount // 10**_DIGITS, f"{amount % 10**_DIGITS:0{_DIGITS}d}"
        return f"{sign}{whole},{rest} €" if (get_language() or "").startswith("pl") else f"{sign}€{whole}.{rest}"


def read(text: str) -> Money | None:
    """Return the amount a person typed, such as ``12``, ``12.50`` or ``12,50``; None where it is none."""
    found = _TYPED.fullmatch(text.strip())
    return Money(int(found[1]) * 10**_DIGITS + int(found[2] or 0)) if found else None


def share_up(total: int, part: int, whole: int) -> int:
    """Return a part of an amount, rounded up to a whole minor unit: what goes back is never a cent too little.

    Args:
        total: minor units.
        part: how many of ``whole``.
        whole: more than nothing.
    """
    return -(-total * part // whole)


def tax_within(gross: int, rate_percent: int) -> int:
    """Return the tax that a gross amount in minor units contains, rounded half up."""
    return (gross * rate_percent * 2 + (100 + rate_percent)) // (2 * (100 + rate_percent))
