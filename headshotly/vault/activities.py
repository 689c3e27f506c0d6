"""What the vault processes by itself: pseudonyms, wrapped keys, receipts. What is sealed, other rooms declare."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

ENCRYPTION = declare(
    Activity(
        id="encryption",
        title="Encryption and deletion",
        purpose="To keep personal data unreadable without permission, and to delete it for good (GDPR 17, 32).",
        people=("customers", "staff"),
        data=("pseudonym", "wrapped key", "list of sealed objects", "list of erased pseudonyms", "deletion receipt"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="Keys and objects until deletion; the pseudonym in ledger and receipt stays to prove it.",
        measures=("3.2.a", "3.2.b"),
    )
)
for _place in (
    "StoredObject.subject",
    "WrappedCustomerKey.subject",
    "DeletionReceipt.subject",
    "DeletionReceipt.document",
    "KeyHold.subject",
):
    keeps(f"vault.{_place}", activity=ENCRYPTION.id)
