"""The mirror: wrapped customer keys and the ledgers as they are now, in every region, without any history.

The ledgers name erased customers, and objects that were destroyed one by one.

A key leaves the mirror only when the ledger names its owner. A key store that lost keys in another way is not followed:
the mirror then has what the store lacks, and says so.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from headshotly.continuity.stores import Store
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import destructions
from headshotly.vault import selectors as vault_contents
from headshotly.vault import wiring as vault
from headshotly.vault.errors import StoreUnavailable

LEDGER = "erasures.txt"
STAMP = "mirrored-at"
_KEYS = "keys/"
_DESTROYED = "destroyed/"
_RECENT = dt.timedelta(days=2)  # the days whose lines a run carries over; a thorough one carries all


@dataclass(slots=True)
class Mirrored:
    """How a mirror stands.

    Attributes:
        region: which.
        keys: how many keys it holds.
        added: keys added or wrapped anew in this run.
        removed: keys of erased customers removed in this run.
        lost: ids it holds and the key store does not, although nobody erased them.
        unusable: ids whose wrapping in the key store nothing opens; the mirror keeps what it had.
        failed: why the mirror could not be brought up to date; empty where it was.
    """

    region: str
    keys: int = 0
    added: int = 0
    removed: int = 0
    lost: list[UUID] = field(default_factory=list)
    unusable: list[UUID] = field(default_factory=list)
    failed: str = ""

    @property
    def sentence(self) -> str:
        """Return what is wrong, or an empty sentence."""
        if self.failed:
            return self.failed
        found = []
        if self.lost:
            found.append(
                f"{len(self.lost)} keys are in the mirror only; run “headshotly restore --keys” to bring them back."
            )
        if self.unusable:
            found.append(f"{len(self.unusable)} keys in the key store are opened by no root; the mirror kept its own.")
        return " ".join(found)


def _name(key_id: UUID) -> str:
    return f"{_KEYS}{key_id.hex[:2]}/{key_id.hex}.key"


def _key_id(name: str) -> UUID:
    return UUID(name.rpartition("/")[2].removesuffix(".key"))


@enforces("6.1.b")
def update(stores: Iterable[Store], *, thorough: bool = False) -> list[Mirrored]:
    """Bring every mirror up to date; one that does not answer does not stop the others.

    A crash leaves a mirror with some of the changes; the next run makes the others.

    Args:
        stores: whose mirrors.
        thorough: compare every key, not only new ones, the service's own, and those of the erased. Done in any case
            after the root key was changed.

    Raises:
        KeyServiceUnavailable: the key service did not answer.
        StoreUnavailable: the key store did not answer; no mirror was touched any further.
    """
    ids, root = set(vault.key_store().ids()), vault.key_service().current_root()
    found = []
    for store in stores:
        state = Mirrored(store.region)
        try:
            _ledger(store)
            _destructions(store, thorough=thorough)
            _keys(store, ids, state, thorough=thorough or _stamp(store).get("root") != root)
            store.mirror.put(STAMP, json.dumps({"at": clock.now().isoformat(), "root": root}).encode())
        except StoreUnavailable as error:
            state.failed = error.sentence
        found.append(state)
    return found


def _ledger(store: Store) -> None:
    """The ledger first: whoever it names must find no key in any mirror, also after a crash right here."""
    erased = {**read_ledger([store]), **vault.erasure_ledger().erased()}
    lines = [f"{subject} {at.isoformat(timespec='seconds') if at else ''}" for subject, at in sorted(erased.items())]
    content = "".join(f"{line}\n" for line in lines).encode()
    if store.mirror.get(LEDGER) != content:
        store.mirror.put(LEDGER, content)


def _destructions(store: Store, *, thorough: bool) -> None:
    """Carry over what was destroyed; a line that either side has stays, so that a lost copy unsays nothing."""
    ledger, since = vault.destruction_ledger(), (clock.now() - _RECENT).date()
    there = set(store.mirror.names(_DESTROYED))
    for day in ledger.days():
        name = f"{_DESTROYED}{destructions.name_of(day)}"
        if thorough or day >= since or name not in there:
            held, lines = destructions.lines_of(store.mirror.get(name) or b""), ledger.lines(day)
            if lines - held:
                store.mirror.put(name, "".join(f"{line}\n" for line in sorted(lines | held)).encode())


def _destroyed_days(store: Store) -> Iterator[tuple[str, dt.date]]:
    """Yield name and day of each list of destroyed objects that a mirror holds."""
    for name in store.mirror.names(_DESTROYED):
        day = destructions.day_of(name.removeprefix(_DESTROYED))
        if day is not None:
            yield name, day


def read_destructions(stores: Iterable[Store]) -> dict[dt.date, set[str]]:
    """Return the lines that the mirrors hold of destroyed objects, by day.

    Raises:
        StoreUnavailable: a mirror did not answer.
    """
    found: dict[dt.date, set[str]] = {}
    for store in stores:
        for name, day in _destroyed_days(store):
            found.setdefault(day, set()).update(destructions.lines_of(store.mirror.get(name) or b""))
    return found


def forget_destructions(stores: Iterable[Store], *, before: dt.date) -> None:
    """Forget, here and in every mirror, what was destroyed before a day.

    Raises:
        StoreUnavailable: some of it may still be there; running again goes on.
    """
    for store in stores:
        for name, day in _destroyed_days(store):
            if day < before:
                store.mirror.remove(name)
    vault.destruction_ledger().forget(before)


def _stamp(store: Store) -> dict[str, str]:
    try:
        stamp = json.loads(store.mirror.get(STAMP) or b"{}")
    except ValueError:
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _keys(store: Store, ids: set[UUID], state: Mirrored, *, thorough: bool) -> None:
    ledger = vault.erasure_ledger()
    held = {_key_id(name): name for name in store.mirror.names(_KEYS)}
    looked_at = ids if thorough else (ids - set(held)) | (ids & vault_contents.service_key_ids())
    for key_id in sorted(looked_at):
        if not ledger.holds(key_id):
            _bring(store, key_id, state)
    for key_id, name in held.items():
        if ledger.holds(key_id):
            store.mirror.remove(name)
            state.removed += 1
        elif key_id not in ids:
            state.lost.append(key_id)
    state.keys = len({*held, *ids} - {key_id for key_id in {*held, *ids} if ledger.holds(key_id)})


def _bring(store: Store, key_id: UUID, state: Mirrored) -> None:
    blob = vault.key_store().get(key_id)
    kept = store.mirror.get(_name(key_id))
    if blob is None or blob == kept:
        return
    if not vault_contents.key_opens(key_id):
        state.unusable.append(key_id)
        return
    store.mirror.put(_name(key_id), blob)
    state.added += 1
    # Destroyed while it was copied: what was written just now goes again.
    if vault.erasure_ledger().holds(key_id):
        store.mirror.remove(_name(key_id))


def read_ledger(stores: Iterable[Store]) -> dict[UUID, dt.datetime | None]:
    """Return everybody the mirrors' ledgers name; who stands in one of them is erased.

    Raises:
        StoreUnavailable: a mirror did not answer, and might name somebody whom the others do not.
    """
    erased: dict[UUID, dt.datetime | None] = {}
    for store in stores:
        for line in (store.mirror.get(LEDGER) or b"").decode("ascii", errors="replace").splitlines():
            name, _, when = line.partition(" ")
            try:
                subject = UUID(name)
            except ValueError:
                continue
            try:
                erased[subject] = dt.datetime.fromisoformat(when)
            except ValueError:
                erased.setdefault(subject, None)
    return erased


def read_keys(stores: Iterable[Store]) -> dict[UUID, list[bytes]]:
    """Return every key the mirrors hold, with each wrapping that is kept of it; the ledger is not asked here.

    Raises:
        StoreUnavailable: a mirror did not answer.
    """
    found: dict[UUID, list[bytes]] = {}
    for store in stores:
        for name in store.mirror.names(_KEYS):
            blob = store.mirror.get(name)
            wrappings = found.setdefault(_key_id(name), [])
            if blob and blob not in wrappings:
                wrappings.append(blob)
    return found


def mirrored_at(store: Store) -> dt.datetime | None:
    """Return when a mirror was last brought up to date, as it says itself.

    Raises:
        StoreUnavailable: it did not answer.
    """
    try:
        return dt.datetime.fromisoformat(_stamp(store)["at"])
    except (ValueError, KeyError, TypeError):
        return None
