"""Who runs the service: the one place that names the operator (clause 12)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """Name and contact addresses shown on pages, mails and notices."""

    name: str = "HeadShotlyAI"
    street: str = "Wileńska 14"
    postcode: str = "03-409"
    city: str = "Warszawa"
    country: str = "Poland"
    security_email: str = "security@headshotly.ai"
    privacy_email: str = "privacy@headshotly.ai"
    website: str = "www.headshotly.ai"
    time_zone: str = "Europe/Warsaw"

    @property
    def postal_address(self) -> str:
        """Return the postal address on one line."""
        return f"{self.street}, {self.postcode} {self.city}, {self.country}"
