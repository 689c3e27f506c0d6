"""What the studio processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, RiskCriterion, declare, keeps
from headshotly.purposes.texts import HEADSHOT_GENERATION

HEADSHOTS = declare(
    Activity(
        id=HEADSHOT_GENERATION,
        title="Making headshots",
        purpose="To judge a customer's photos and make headshots of them, as the customer asked.",
        people=("customers", "people a customer uploads photos of with their agreement"),
        data=("photos", "headshots", "positions of facial features while a picture is made", "words about a photo"),
        basis=LegalBasis.EXPLICIT_CONSENT,
        retention="Until the customer deletes them.",
        measures=("1.1.d", "3.1.a", "3.2.a", "5.1.a", "5.3.a"),
        risks=frozenset({RiskCriterion.SENSITIVE_DATA, RiskCriterion.NEW_TECHNOLOGY}),
    )
)
DELETION_RECEIPTS = declare(
    Activity(
        id="deletion-receipts",
        title="Deletion receipts",
        purpose="To prove to a former customer that everything was deleted.",
        people=("former customers",),
        data=("pseudonym", "ids of the deleted objects"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="24 months, as for the record of a request.",
    )
)
for _field in ("Photo.subject", "Photo.sentence", "Shoot.subject", "Headshot.subject"):
    keeps(f"studio.{_field}", activity=HEADSHOTS.id)
for _kind in ("photo", "headshot", "preview"):
    keeps(f"object:{_kind}", activity=HEADSHOTS.id)
keeps("studio.KeptReceipt.document", activity=DELETION_RECEIPTS.id)
