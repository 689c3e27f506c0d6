"""The register of vendors: who they are, what was agreed, what was assessed, what left for them."""

import uuid

from django.db import models
from django.db.models import F, Q


class Tier(models.TextChoices):
    """How much depends on a vendor."""

    CRITICAL = "critical", "Critical"
    IMPORTANT = "important", "Important"
    ORDINARY = "ordinary", "Ordinary"


class State(models.TextChoices):
    """Where one version of a vendor's entry stands."""

    PROPOSED = "proposed", "Proposed"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    REPLACED = "replaced", "Replaced by a newer version"
    ENDED = "ended", "Ended"


class Vendor(models.Model):
    """One version of a vendor's entry. ``slug`` names the vendor; at most one version of it is approved.

    Who proposed and decided is ``staff:<pseudonym>`` or ``operator:<name>``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300)
    website = models.CharField(max_length=200, default="")
    tier = models.CharField(max_length=10, choices=Tier.choices)
    categories = models.JSONField(default=list)
    regions = models.JSONField(default=list)
    hosts = models.JSONField(default=list)
    subprocessors = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.CharField(max_length=80)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, default="")
    decided_at = models.DateTimeField(null=True)
    because = models.CharField(max_length=300, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="vendor_decided_by_somebody_else",
                condition=Q(decided_by="") | ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="vendor_approval_is_signed",
                condition=~Q(state="approved") | (~Q(decided_by="") & Q(decided_at__isnull=False)),
            ),
            models.UniqueConstraint(
                name="vendor_has_one_version_in_force", fields=["slug"], condition=Q(state="approved")
            ),
        ]


class Paper(models.TextChoices):
    """What a document of a vendor is."""

    AGREEMENT = "agreement", "Data-processing agreement with standard clauses"
    ISO_27001 = "iso-27001", "ISO/IEC 27001 certificate"
    SOC_2 = "soc-2", "SOC 2 Type II report"
    PCI_DSS = "pci-dss", "PCI DSS attestation"
    PHYSICAL = "physical", "Report on the security of data centres"
    OTHER = "other", "Something else"


class VendorDocument(models.Model):
    """One paper of a vendor: its hash and how long it is good, never the paper itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40)
    kind = models.CharField(max_length=12, choices=Paper.choices)
    title = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    from_on = models.DateField()
    until_on = models.DateField()
    recorded_by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="vendor_document_has_a_span", condition=Q(until_on__gte=F("from_on"))),
        ]


class VendorAssessment(models.Model):
    """One set of answers, scored; it counts once somebody other than the assessor approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40)
    answers = models.JSONField()
    score = models.PositiveSmallIntegerField()
    remarks = models.TextField(default="")
    assessed_by = models.CharField(max_length=80)
    assessed_at = models.DateTimeField()
    approved_by = models.CharField(max_length=80, default="")
    approved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="vendor_assessment_approved_by_somebody_else",
                condition=Q(approved_by="") | ~Q(approved_by=F("assessed_by")),
            ),
        ]


class Outflow(models.Model):
    """What kind of data went from this house to which host of which vendor, and when first and last (clause 1.2.d)."""

    id = models.BigAutoField(primary_key=True)
    vendor = models.SlugField(max_length=40)
    host = models.CharField(max_length=253)
    category = models.CharField(max_length=80)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="outflow_once_a_kind", fields=["vendor", "host", "category"]),
        ]


class VendorClosure(models.Model):
    """A vendor that nothing leaves for until somebody opens it again. ``vendor`` is a stable short name or a host."""

    vendor = models.CharField(max_length=120, primary_key=True)
    closed_at = models.DateTimeField()
    closed_by = models.UUIDField(null=True)
    because = models.CharField(max_length=300)
