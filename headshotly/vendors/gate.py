"""The gate: the only way out of the house (clauses 1.2.d, 2.2, 9.1.b).

Whatever leaves asks here first, naming the host and the kinds of data it carries. The gate opens where the host belongs
to a vendor in force, its agreement covers the kinds, and nobody closed it; it then writes down what goes where and
opens the process's way out (``way_out``) for that one name. Everything else is refused and written down too.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NoReturn
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import categories, closures, selectors, way_out
from headshotly.vendors.decisions import Decision, tell
from headshotly.vendors.errors import EgressRefused
from headshotly.vendors.models import Outflow, State, Vendor
from headshotly.vendors.regions import EU_REGIONS
from headshotly.vendors.standing import Standing

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Opening:
    """A vendor's side of the gate as it stands.

    Attributes:
        slug: the vendor.
        standing: how far it is open.
        because: why, in one sentence.
        categories: kinds of data agreed.
    """

    slug: str
    standing: Standing
    because: str
    categories: frozenset[str]


_written: dict[tuple[str, str, str], float] = {}
# Set while this process restores everything into an empty place.
_rebuilding = threading.Event()
_REBUILT_FROM = "aws"
_ITS_HOSTS = tuple(f"*.{region}.amazonaws.com" for region in sorted(EU_REGIONS))
_ITS_KINDS = frozenset({categories.SEALED_OBJECTS, categories.WRAPPED_KEYS})


def matches(pattern: str, host: str) -> bool:
    """Say whether a host is the one a pattern names, or lies below ``*.name``."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def in_register(host: str) -> Opening | None:
    """Find the vendor in force whose host it is, and how it stands today."""
    for vendor in Vendor.objects.filter(state=State.APPROVED):
        if any(matches(pattern, host) for pattern in vendor.hosts):
            judged = selectors.judged(vendor)
            return Opening(vendor.slug, judged.standing, judged.because, frozenset(vendor.categories))
    return None


@enforces("1.2.d", "2.2", "9.1.b")
def require(
    host: str,
    *,
    carries: Iterable[str] = (),
    cannot_wait: bool = False,
    routine: bool = False,
    about: UUID | None = None,
    object_ids: Iterable[UUID] = (),
) -> str:
    """Open the gate for one host, or refuse in plain words.

    Args:
        host: name of the host that is about to be spoken to.
        carries: kinds of personal data that go there (``categories``); empty for none.
        cannot_wait: money back, a deletion, a legal notice: goes through a degraded vendor too.
        routine: goes there all the time, so one entry of the journal an hour and kind says it.
        about: pseudonym of the data subject concerned.
        object_ids: sealed objects concerned.

    Returns:
        The vendor's short name.

    Raises:
        EgressRefused: the host is nobody's, the vendor is closed, or the kind of data was not agreed.
        VendorClosed: somebody closed the vendor while an incident is looked into.
    """
    name, kinds, objects = host.lower().rstrip("."), sorted(set(carries)) or [""], tuple(object_ids)
    if _rebuilding.is_set() and _ITS_KINDS.issuperset(carries) and any(matches(one, name) for one in _ITS_HOSTS):
        way_out.permit(name, inside=_REBUILT_FROM in _private())
        return _REBUILT_FROM
    opening = in_register(name)
    vendor = "" if opening is None else opening.slug
    asked = Decision(host=name, opened=True, vendor=vendor, carries=tuple(one for one in kinds if one), about=about)
    if opening is None:
        _refuse(asked, "unknown", f"nobody → {name}", "This host is on no register, so nothing is sent there.")
    _require_no_closure(asked, opening.slug, name)
    to = f"{opening.slug} → {name}"
    if opening.standing is Standing.CLOSED:
        _refuse(asked, "closed", to, f"Nothing can be sent there: {opening.because}")
    if opening.standing is Standing.DEGRADED and not cannot_wait:
        sentence = f"This is paused for the moment; what cannot wait still goes. {opening.because}"
        _refuse(asked, "degraded", to, sentence)
    beyond = [kind for kind in kinds if kind and kind not in opening.categories]
    if beyond:
        _refuse(asked, "beyond", f"{to}: {beyond[0]}", f"It was never agreed that “{beyond[0]}” go there.")
    for kind in kinds:
        _write_down(opening.slug, name, kind, routine=routine, about=about, object_ids=objects)
    tell(asked)
    way_out.permit(name, inside=opening.slug in _private())
    return opening.slug


def _require_no_closure(asked: Decision, *names: str) -> None:
    try:
        closures.require_open(*names)
    except closures.VendorClosed:
        tell(replace(asked, opened=False, reason="closed"))
        raise


@contextmanager
def rebuilding() -> Iterator[None]:
    """Let a lost service be rebuilt from its backups on AWS: the register that opens the way to them is in them.

    Only for restoring everything into an empty place. Open are AWS's stores and keys in regions of the Union, for what
    is sealed, and nothing else; nothing is written down here, since there is no journal yet; the restore's own entry
    follows. A crash leaves nothing open: the next process begins without.
    """
    _rebuilding.set()
    try:
        yield
    finally:
        _rebuilding.clear()


@enforces("1.2.d")
def at_request(host: str, *, about: UUID) -> None:
    """Open the gate for a host that a customer named themselves, such as their own webhook; pseudonyms only go there.

    Args:
        host: name of the host; https and a public address are seen to where it is spoken to (``https``).
        about: pseudonym of the customer whose wish it is.

    Raises:
        VendorClosed: somebody closed the host while an incident is looked into.
    """
    name = host.lower().rstrip(".")
    asked = Decision(host=name, opened=True, about=about)
    _require_no_closure(asked, name)
    audit.record_durably(actor=SYSTEM, act=Act.DATA_SENT, subject=about, purpose=f"the customer's own {name}")
    tell(asked)
    way_out.permit(name)


def to_ourselves() -> None:
    """Open the way to this service's own public address, where a check meets it as anybody does; nobody else's."""
    way_out.permit((urlsplit(configuration.current().public_url).hostname or "").lower(), inside=True)


def _private() -> frozenset[str]:
    """Return the vendors that are reached inside our own network (option ``vendors.private``, by comma)."""
    return frozenset(configuration.current().options.get("vendors.private", "").split(",")) - {""}


def _refuse(asked: Decision, reason: str, what: str, sentence: str) -> NoReturn:
    tell(replace(asked, opened=False, reason=reason))
    # On its own connection: the refusal is written down even where the caller's transaction rolls back.
    audit.record_durably(
        actor=SYSTEM, act=Act.EGRESS_REFUSED, subject=asked.about, purpose=what, outcome=Outcome.REFUSED
    )
    raise EgressRefused(sentence)


def _write_down(
    vendor: str, host: str, kind: str, *, routine: bool, about: UUID | None, object_ids: tuple[UUID, ...]
) -> None:
    """Write down that a kind of data goes to a host, before it goes; a crash here leaves an entry too many."""
    now = clock.now()
    last = _written.get((vendor, host, kind), 0.0)
    if routine and now.timestamp() - last < _HOUR:
        return
    audit.record_durably(
        actor=SYSTEM,
        act=Act.DATA_SENT,
        subject=about,
        purpose=f"{vendor} → {host}: {kind or 'nothing personal'}",
        object_ids=object_ids,
    )
    if now.timestamp() - last >= _HOUR:
        Outflow.objects.update_or_create(
            vendor=vendor, host=host, category=kind, defaults={"last_at": now},
            create_defaults={"first_at": now, "last_at": now},
        )  # fmt: skip
        # Only what was committed counts as written.
        transaction.on_commit(lambda: _written.update({(vendor, host, kind): now.timestamp()}))


def forget() -> None:
    """Forget what this process wrote down in the last hour, and shut the way out."""
    _written.clear()
    way_out.forget()
