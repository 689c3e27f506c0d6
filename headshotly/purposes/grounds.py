"""Why processing may stand still."""

from django.db.models import TextChoices


class RestrictionGround(TextChoices):
    """Why processing stands still (GDPR Art. 18(1), 21)."""

    CUSTOMER = "asked", "The customer restricted it"
    OBJECTION = "objection", "The customer objected to it"
    ACCURACY = "accuracy", "Its accuracy is contested"
    THIRD_PERSON = "third-person", "Somebody in a photo objected"
