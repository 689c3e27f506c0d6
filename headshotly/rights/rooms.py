"""Every room that holds something about customers: what goes into their copy, and what goes when they leave.

The list is explicit. ``tests/rights/test_rooms.py`` finds every table about people by its columns and fails where one
stands neither here nor among what is kept for a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headshotly.accounts import second_factor
from headshotly.accounts import selectors as accounts
from headshotly.integrations import history as programs
from headshotly.orders import selectors as orders
from headshotly.orders import services as cash_desk
from headshotly.policy.enforcement import enforces
from headshotly.purposes import restrictions, retention
from headshotly.purposes import selectors as purposes
from headshotly.purposes.declarations import limits
from headshotly.rights import history
from headshotly.studio import selectors as studio
from headshotly.vault import selectors as vault_contents
from headshotly.vault.warrant import Warrant

type Export = Callable[[UUID, Warrant], Any]
type Erase = Callable[[UUID], None]


@dataclass(frozen=True, slots=True)
class Room:
    """What one room holds about a customer.

    Attributes:
        name: of the room; the key in the exported file.
        tables: ``room.Model`` of every table about people that these two cover.
        export: returns plain JSON data, opened under a warrant.
        erase: removes the rows with the account; None where ``studio.services.delete_everything`` does it itself.
    """

    name: str
    tables: tuple[str, ...]
    export: Export
    erase: Erase | None = None


def _accounts(subject: UUID, warrant: Warrant) -> dict[str, Any]:
    found = accounts.customer(subject)
    if found is None:
        return {}
    profile = accounts.profile(found, warrant=warrant)
    return {
        "name": profile.name,
        "email": profile.email,
        "created_at": found.created_at,
        "confirmed_at": found.confirmed_at,
        "last_signed_in_at": found.last_login,
        "second_factor": second_factor.needed(found),
        "passkeys": [{"added_at": one.created_at} for one in second_factor.passkeys_of(found)],
        "sessions": [{"device": device, "started_at": began} for device, began in accounts.all_sessions_of(subject)],
    }


def _purposes(subject: UUID, _warrant: Warrant) -> dict[str, Any]:
    return {
        "consents": [
            {
                "activity": one.activity,
                "version": one.version,
                "text_sha256": one.text_sha256,
                "given_at": one.given_at,
                "withdrawn_at": one.withdrawn_at,
            }
            for one in purposes.consent_history(subject)
        ],
        "restrictions": [one._asdict() for one in restrictions.in_force(subject)],
        "kept_for_days": {limit.id: retention.days_for(subject, limit) for limit in limits().values()},
    }


def _vault(subject: UUID, _warrant: Warrant) -> dict[str, Any]:
    return {"sealed_objects": [str(one) for one in vault_contents.objects_of(subject)]}


def _studio(subject: UUID, _warrant: Warrant) -> dict[str, Any]:
    return {
        "photos": [
            {
                "id": str(photo.id),
                "file": f"photos/{photo.id}.jpg",
                "received_at": photo.received_at,
                "what_we_said": f"{photo.sentence} {photo.advice}".strip(),
                "score": photo.score,
            }
            for photo in studio.photos_of(subject)
        ],
        "shoots": [
            {
                "id": str(shoot.id),
                "created_at": shoot.created_at,
                "state": shoot.state,
                "styles": shoot.style_ids,
                "photos": shoot.photo_ids,
            }
            for shoot in studio.shoots_of(subject)
        ],
        "headshots": [
            {
                "id": str(made.id),
                "file": f"headshots/{made.id}.jpg",
                "photo": str(made.photo_id),
                "style": made.style_id,
                "favourite": made.favourite,
                "made_at": made.made_at,
                "notes": made.notes,
            }
            for made in studio.all_headshots_of(subject)
        ],
    }


ROOMS: tuple[Room, ...] = (
    Room(
        name="rights",
        tables=(
            "rights.RightsRequest",
            "rights.Export",
            "rights.PrivacyChoice",
            "rights.ErasurePlan",
            "rights.Delivery",
        ),
        export=history.export,
        erase=history.erase,
    ),
    Room(
        name="orders",
        tables=("orders.Order", "orders.Credit", "orders.Seat"),
        export=lambda subject, _warrant: orders.export_of(subject),
        erase=cash_desk.erase,
    ),
    Room(
        name="integrations",
        tables=(
            "integrations.AccessToken",
            "integrations.KeptAnswer",
            "integrations.Allowance",
            "integrations.WebhookEndpoint",
            "integrations.WebhookDelivery",
            "integrations.WebhookTrouble",
        ),
        export=programs.export,
        erase=programs.erase,
    ),
    Room(name="studio", tables=("studio.Photo", "studio.Shoot", "studio.Headshot"), export=_studio),
    Room(
        name="accounts",
        tables=(
            "accounts.Customer",
            "accounts.PastPassword",
            "accounts.RecoveryCode",
            "accounts.Passkey",
            "accounts.CustomerSession",
        ),
        export=_accounts,
    ),
    Room(name="vault", tables=("vault.StoredObject", "vault.WrappedCustomerKey"), export=_vault),
    Room(
        name="purposes",
        tables=("purposes.Consent", "purposes.Restriction", "purposes.RetentionChoice"),
        export=_purposes,
    ),
)

# What stays when a customer leaves, and why.
KEPT: dict[str, str] = {
    "proof.Canary": "a made-up person's word, planted to see that nothing is readable",
    "audit.Entry": "the journal: pseudonyms only, verifiable, and meaningless once the key is gone",
    "vault.KeyHold": "that somebody's keys are held during an incident, by pseudonym; gone when the hold is lifted",
    "vault.DeletionReceipt": "the proof that everything was deleted: ids only",
    "studio.KeptReceipt": "the same receipt at the address the former customer was given",
    "incidents.Event": "pseudonyms only; what was noticed must outlast whoever did it, and goes by its own time limit",
    "incidents.AffectedPerson": "the register of breaches (GDPR 33(5)): which kinds of data, by pseudonym",
    "incidents.Letter": "that and when a letter about a breach went out, by pseudonym",
    "incidents.Block": "the pseudonym of a network address; gone a week after it ended",
    "incidents.Alert": "pseudonyms only; the record of what was noticed, under its own time limit",
    "proof.WeaknessReport": "a report about us by whoever saw a weakness, under a key of its own that goes by itself",
    "proof.Thanks": "the name a reporter asked to be thanked by in public; gone when they say so",
    "accounts.PasskeyChallenge": "a question to an authenticator; gone within a day by itself",
}
# Tables about members of staff; their rights are answered by the DPO in person.
ABOUT_STAFF = frozenset(
    {
        "access.StaffMember",
        "access.EnrolmentLink",
        "access.StaffSession",
        "access.StaffPasskey",
        "access.Personnel",
        "access.Grant",
        "access.RightUse",
        "access.WithheldRight",
        "lifecycle.TrainingRecord",
        "incidents.Contact",
        "incidents.HolderLetter",
    }
)


@enforces("1.2.c")
def export_all(subject: UUID, warrant: Warrant) -> dict[str, Any]:
    """Return what every room holds about a customer, as plain JSON data."""
    return {room.name: room.export(subject, warrant) for room in ROOMS}


@enforces("1.2.c")
def erase_rows(subject: UUID) -> None:
    """Remove the rows of the rooms above the studio; runs in the transaction that removes the account."""
    for room in ROOMS:
        if room.erase is not None:
            room.erase(subject)
