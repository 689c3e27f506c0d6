"""What the studio processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, RiskCriterion, TimeLimit, declare, keeps
from headshotly.purposes.texts import HEADSHOT_GENERATION

HEADSHOTS = declare(
    Activity(
        id=HEADSHOT_GENERATION,
        title="Making headshots",
        purpose="To judge a customer's photos and make headshots of them, as the customer asked.",
        people=("customers", "people a customer uploads photos of with their agreement"),
        data=("photos", "headshots", "positions of facial features while a picture is made", "words about a photo"),
        basis=LegalBasis.EXPLICIT_CONSENT,
        retention="Photos for 30 days, headshots until the customer deletes them, unless the customer chose otherwise.",
        measures=("1.1.d", "3.1.a", "3.2.a", "5.1.a", "5.3.a"),
        risks=frozenset({RiskCriterion.SENSITIVE_DATA, RiskCriterion.NEW_TECHNOLOGY}),
        limits=(
            TimeLimit(id="photos", title="Photos you uploaded", days=30, choices=(7, 30, 90, 365)),
            TimeLimit(id="headshots", title="Headshots we made", days=None, choices=(None, 30, 90, 365)),
        ),
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
        limits=(TimeLimit(id="deletion-receipts", title="Receipt of a deletion", days=731),),
    )
)
_FIELDS = (
    "Photo.subject",
    "Photo.sentence",
    "Photo.advice",
    "Photo.crop",
    "Shoot.subject",
    "Shoot.photo_ids",
    "Shoot.style_ids",
    "Shoot.sentence",
    "Headshot.subject",
    "Headshot.notes",
)
for _field in _FIELDS:
    keeps(f"studio.{_field}", activity=HEADSHOTS.id)
for _kind in ("photo", "headshot", "preview"):
    keeps(f"object:{_kind}", activity=HEADSHOTS.id)
keeps("studio.KeptReceipt.document", activity=DELETION_RECEIPTS.id)
