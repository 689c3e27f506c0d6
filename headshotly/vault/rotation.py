"""Root-key epochs: a new root, the living wrapped anew, the old root retired (architecture.md, idea 2).

What a backup holds of erased customers is wrapped under a retired root, and nothing opens it any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy.enforcement import enforces
from headshotly.vault import customer_keys, service_secrets, wiring, wrapped_keys
from headshotly.vault.errors import RotationIncomplete
from headshotly.vault.keyservice import Context


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Attributes:
        root: id of the root in force now.
        rewrapped: keys that had to be wrapped anew in this run.
        retired: ids of the roots destroyed in this run.
        resumed: whether it went on with a rotation that was interrupted.
    """

    root: str
    rewrapped: int
    retired: tuple[str, ...]
    resumed: bool


def contexts() -> Iterator[tuple[UUID, Context]]:
    """Yield every key of the store with what its wrapping is bound to."""
    secrets = {service_secrets.key_id(name): service_secrets.context(name) for name in service_secrets.NAMES}
    for key_id in wiring.key_store().ids():
        yield key_id, secrets.get(key_id) or customer_keys.context(key_id)


@enforces("3.2.b")
def rotate(*, actor: Actor) -> Rotation:
    """Put a new root in force, wrap every living key under it, and destroy the older roots.

    More than one root at the beginning is a rotation that was interrupted: it goes on, without another root. A crash
    leaves, by step: both roots and everything readable (1, 2, 3); some older roots retired, none of them needed (4).

    Args:
        actor: who ordered it.

    Raises:
        RotationIncomplete: a key is still wrapped under an older root; that root is kept, and running again goes on.
        KeyServiceUnavailable: the key service did not answer; running again goes on.
        StoreUnavailable: the key store did not answer; running again goes on.
    """
    service, store, ledger = wiring.key_service(), wiring.key_store(), wiring.erasure_ledger()
    # 1. The new root.
    service.current_root()
    resumed = len(service.roots()) > 1
    root = service.current_root() if resumed else service.new_root()
    # 2. The living are wrapped anew; whoever the ledger names is not among them, and what is left of them goes now.
    rewrapped = 0
    for key_id, context in list(contexts()):
        if ledger.holds(key_id):
            store.delete(key_id)
        else:
            rewrapped += wrapped_keys.rewrap(key_id, context)
    # 3. None may be left: looked up again, in every replica.
    older = {root_id for key_id, _ in contexts() for root_id in roots_of(key_id)} - {root}
    if older:
        raise RotationIncomplete(
            "A key is still wrapped under the old root key, which was kept. Run the command again."
        )
    # 4. The older roots die. Retiring is harmless to repeat.
    leaving = tuple(sorted(set(service.roots()) - {root}))
    audit.record_durably(actor=actor, act=Act.ROOT_ROTATED, purpose=f"root {root}")
    for old in leaving:
        service.retire(old)
    return Rotation(root=root, rewrapped=rewrapped, retired=leaving, resumed=resumed)


def roots_of(key_id: UUID) -> set[str]:
    """Return the roots that a key is wrapped under, over all replicas; none where it was just destroyed."""
    service = wiring.key_service()
    return {service.root_of(blob) for blob in wiring.key_store().replicas(key_id).values()}
