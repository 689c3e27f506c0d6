"""The activities of the register of vendors."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

VENDOR_REGISTER = declare(
    Activity(
        id="vendor-register",
        title="Register of vendors",
        purpose="To show that every processor was chosen, assessed and bound as the law asks (GDPR 5(2), 28).",
        people=("staff",),
        data=("pseudonyms of who proposed, assessed and approved",),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="As long as the vendor is used, and three years after.",
        measures=("9.1.a", "9.1.b", "9.2"),
        source="the service itself",
    )
)
for _place in (
    "Vendor.proposed_by", "Vendor.decided_by", "VendorDocument.recorded_by", "VendorAssessment.assessed_by",
    "VendorAssessment.approved_by", "VendorClosure.closed_by",
):  # fmt: skip
    keeps(f"vendors.{_place}", activity=VENDOR_REGISTER.id)
