"""The kinds of data that may leave the house: what an agreement names is what the gate lets through (clause 9.1.b)."""

SEALED_OBJECTS = "encrypted photos and records"
WRAPPED_KEYS = "encrypted keys"
ADDRESSES = "mail addresses and letters"
PAYMENTS = "order and payment references"
PSEUDONYMS = "pseudonymous work orders and alerts"

CATEGORIES: dict[str, str] = {
    SEALED_OBJECTS: "Ciphertext only; the keys stay in the key service.",
    WRAPPED_KEYS: "Customer keys under the root key.",
    ADDRESSES: "Where a letter goes, and what it says.",
    PAYMENTS: "Ids of orders and payments, amounts; never a card number.",
    PSEUDONYMS: "Ids without names: queues, on-call messages, measurements.",
}
