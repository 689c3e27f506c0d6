"""Why the vault refuses. No sentence tells whether an object exists to somebody who may not open it."""

from headshotly.policy.refusal import Refusal


class WarrantRefused(Refusal):
    """The warrant is forged, expired, or for somebody else's data."""

    code = "vault.warrant_refused"
    status = 403


class ObjectMissing(Refusal):
    """Nothing is kept under this id."""

    code = "vault.object_missing"
    status = 404


class KeyShredded(Refusal):
    """The customer key was destroyed; nothing under it can ever be opened again."""

    code = "vault.key_shredded"
    status = 410


class ObjectDamaged(Refusal):
    """The stored bytes are not what was sealed. Nothing of them is given out."""

    code = "vault.object_damaged"
    status = 500


class KeyServiceUnavailable(Refusal):
    """The key service did not answer, or answered that it cannot."""

    code = "vault.key_service_unavailable"
    status = 503


class StoreUnavailable(Refusal):
    """The object store or key store failed; nothing half-written counts as stored."""

    code = "vault.store_unavailable"
    status = 503


class StoreFull(StoreUnavailable):
    """There is no room left."""

    code = "vault.store_full"
    status = 507


class ErasureIncomplete(Refusal):
    """Something of a deleted customer is still reachable; there is no receipt yet, and trying again goes on."""

    code = "vault.erasure_incomplete"
    status = 503


class KeyHeld(Refusal):
    """The use of a key is stopped while an incident is looked into; nothing is lost."""

    code = "vault.key_held"
    status = 503


class ReceiptForged(Refusal):
    """A deletion receipt does not carry a valid signature."""

    code = "vault.receipt_forged"


class RotationIncomplete(Refusal):
    """A root key cannot be retired yet."""

    code = "vault.rotation_incomplete"
    status = 503


class ForeignObject(WarrantRefused):
    """Somebody else's object: answered word for word as if there were none."""

    code = ObjectMissing.code
    status = ObjectMissing.status
