"""Orders, what they entitle to, what was paid and what went back; never a card number, never a name."""

import uuid

from django.db import models


class OrderState(models.TextChoices):
    """Where an order stands. ``states.NEXT`` says what may follow what."""

    CREATED = "created", "Not yet at the payment page"
    PENDING = "pending", "Waiting for the payment"
    PAID = "paid", "Paid"
    EXPIRED = "expired", "Not paid in time"
    DISPUTED = "disputed", "Disputed at the bank"
    REFUNDED = "refunded", "Refunded"


class Order(models.Model):
    """One purchase. ``subject`` is empty once the buyer has left; the amounts stay for the accounts.

    ``billed_abroad`` says whether the billing address lay outside the United States; no address is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(null=True, db_index=True)
    package_id = models.CharField(max_length=32)
    seats = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=OrderState.choices, default=OrderState.CREATED)
    currency = models.CharField(max_length=3)
    price_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    provider = models.CharField(max_length=16)
    checkout_ref = models.CharField(max_length=120, blank=True, db_index=True)
    payment_ref = models.CharField(max_length=120, blank=True, db_index=True)
    payer_ref = models.CharField(max_length=120, blank=True)
    billed_abroad = models.BooleanField(null=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="order_created"),
            models.Index(fields=["state", "created_at"], name="order_state"),
        ]


class Credit(models.Model):
    """Headshots somebody may have made: of an order's seat, or, without an order, for trying."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, related_name="+")
    granted = models.PositiveIntegerField()
    used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(used__lte=models.F("granted")), name="no_more_than_granted"),
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(order__isnull=True), name="one_trial_a_customer"
            ),
        ]


class SpendState(models.TextChoices):
    """Where the use of a credit stands."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RETURNED = "returned"


class Spend(models.Model):
    """So many headshots of one credit, for one shoot; ``pieces`` names each, so that none is paid for twice."""

    id = models.BigAutoField(primary_key=True)
    credit = models.ForeignKey(Credit, on_delete=models.CASCADE, related_name="+")
    shoot_id = models.UUIDField(db_index=True)
    pieces = models.JSONField(default=list)
    state = models.CharField(max_length=16, choices=SpendState.choices, default=SpendState.RESERVED)
    reserved_at = models.DateTimeField()
    downloaded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["reserved_at"], condition=models.Q(state="reserved"), name="spend_reserved"),
        ]


class Seat(models.Model):
    """One place in a team's order; its link is kept as a hash.

    ``invited_at``: since when a link is out that works; None where none was drawn, or the last one was withdrawn.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    token_sha256 = models.BinaryField(max_length=32, unique=True)
    subject = models.UUIDField(null=True)
    invited_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject"], condition=models.Q(subject__isnull=False), name="seat_subject")]


class Reason(models.TextChoices):
    """Why money goes back; words from a list, so that nobody writes about a person here."""

    BUYER = "buyer", "The buyer changed their mind"
    SHOOT = "shoot", "Headshots could not be made in time"
    LEFT = "left", "The buyer left before anything was delivered"
    TWICE = "twice", "The order was paid twice"
    GOODWILL = "goodwill", "Goodwill"
    QUALITY = "quality", "The headshots were not good enough"
    LAW = "law", "A right of the buyer"


# Refunds that have not reached the buyer; in these words wherever they are asked for, so that their index answers.
NOT_THERE_YET = models.Q(sent_at__isnull=True) | models.Q(returned_at__isnull=False)


class Refund(models.Model):
    """Money that goes back: asked for in the transaction of its cause, sent afterwards, once each.

    ``attempt`` counts how often it was tried anew after the bank had returned it; each attempt is sent once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=160)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    payment_ref = models.CharField(max_length=120, blank=True)
    minor = models.BigIntegerField()
    asked_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=1)
    provider_ref = models.CharField(max_length=120, blank=True, db_index=True)
    sent_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "cause"], name="one_refund_a_cause"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="a_refund_is_of_something"),
        ]
        indexes = [models.Index(fields=["asked_at"], condition=NOT_THERE_YET, name="refund_open")]


class Dispute(models.Model):
    """A payment somebody disputes at their bank; closed is closed, whatever message comes late."""

    ref = models.CharField(max_length=120, primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    minor = models.BigIntegerField()
    closed = models.CharField(max_length=16, blank=True)
    heard_at = models.DateTimeField()


class Posting(models.Model):
    """One side of a booking; the sides of one booking add up to nothing."""

    id = models.BigAutoField(primary_key=True)
    booking = models.CharField(max_length=240)
    account = models.CharField(max_length=16)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["booking", "account"], name="one_side_an_account")]


class Invoice(models.Model):
    """What the law wants kept of a sale: numbers, no person (Polish Accounting Act, Art. 74)."""

    number = models.CharField(max_length=32, primary_key=True)
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    description = models.CharField(max_length=120)
    gross_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)


class InvoiceSeries(models.Model):
    """The last number given in a year; locked while the next is taken, so that there are no gaps."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)


class StoredEvent(models.Model):
    """What the payment service told us, kept before it is acted upon: the facts we need, and a hash of the rest."""

    id = models.CharField(max_length=120, primary_key=True)
    kind = models.CharField(max_length=80)
    facts = models.JSONField()
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["received_at"], condition=models.Q(done_at__isnull=True), name="event_waiting"),
        ]


class Reconciliation(models.Model):
    """One comparison of our orders with the payment service's."""

    id = models.BigAutoField(primary_key=True)
    ran_at = models.DateTimeField()
    compared = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()
    healed = models.PositiveIntegerField()
    differences = models.JSONField(default=list)


class Farewell(models.Model):
    """A payer whom the payment service shall forget: asked for when the account goes, told afterwards, then gone."""

    payer_ref = models.CharField(max_length=120, primary_key=True)
    asked_at = models.DateTimeField()


class RehearsedPayment(models.Model):
    """A payment at the test checkout, which stands in for the payment service where there is none."""

    ref = models.CharField(max_length=120, primary_key=True)
    order_id = models.UUIDField()
    price_minor = models.BigIntegerField()
    percent_off = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16, default="open")
    refunded_minor = models.BigIntegerField(default=0)
    refund_keys = models.JSONField(default=dict)
    made_at = models.DateTimeField()
