"""Made-up customers with real sealed pictures for ``bench.service``; the environment names the place."""

import datetime as dt
import json
import sys
from pathlib import Path
from uuid import UUID, uuid4

import django

PASSWORD = "correct-horse-of-the-bench-77"  # noqa: S105 - of made-up customers  # pragma: allowlist secret
AGENT = "bench"


def seed(folder: Path, *, customers: int, shoots: int, headshots: int, photo: Path) -> None:
    """Make the databases and customers, and leave what a client must know in ``people.json``.

    Args:
        folder: where ``people.json`` goes.
        customers: how many.
        shoots: how many of them have a finished shoot and a session.
        headshots: pictures in each of these shoots.
        photo: a file to make the pictures of.
    """
    django.setup()
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command

    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    hashed, picture = make_password(PASSWORD), photo.read_bytes()
    made = [customer(number, hashed) for number in range(customers)]
    known = [{"session": session(subject)} for _, subject in made]
    for person, (_, subject) in zip(known[:shoots], made, strict=False):
        person.update(_shoot(subject, picture, headshots))
    told = {"password": PASSWORD, "emails": [email for email, _ in made], "people": known}
    (folder / "people.json").write_text(json.dumps(told))


def customer(number: int | str, hashed: str) -> tuple[str, UUID]:
    """Make a confirmed customer who agreed to everything; return their address and id."""
    from headshotly.accounts.fields import EMAIL_FIELD, NAME_FIELD
    from headshotly.accounts.models import Customer
    from headshotly.audit.actor import Actor
    from headshotly.policy import clock
    from headshotly.purposes import services as purposes
    from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
    from headshotly.vault import services as vault

    subject, email = uuid4(), f"load{number}@example.org"
    actor = Actor(kind="customer", id=subject)
    vault.create_customer_key(actor=actor, subject=subject)
    Customer.objects.create(
        id=subject,
        email_sealed=vault.seal_field(subject=subject, field=EMAIL_FIELD, text=email),
        email_index=vault.blind_index(field=EMAIL_FIELD, value=email),
        name_sealed=vault.seal_field(subject=subject, field=NAME_FIELD, text="Load"),
        password=hashed,
        created_at=clock.now(),
        confirmed_at=clock.now(),
    )
    version = current_text(HEADSHOT_GENERATION).version
    purposes.give_consent(actor=actor, subject=subject, activity=HEADSHOT_GENERATION, version=version)
    return email, subject


def _shoot(subject: UUID, picture: bytes, headshots: int) -> dict[str, object]:
    from headshotly.audit.actor import Actor
    from headshotly.policy import clock
    from headshotly.studio import decoding
    from headshotly.studio.models import Headshot, Photo, Shoot, ShootState
    from headshotly.studio.styles import STYLES
    from headshotly.vault import services as vault

    actor = Actor(kind="customer", id=subject)
    pixels = decoding.decode_own(picture)
    master, preview = decoding.encode_master(pixels), decoding.encode_preview(pixels)

    def sealed(kind: str, data: bytes) -> UUID:
        return vault.seal(actor=actor, subject=subject, kind=kind, purpose="headshot-generation", plaintext=data)

    now = clock.now()
    photo = Photo.objects.create(
        subject=subject,
        object_id=sealed("photo", master),
        preview_id=sealed("preview", preview),
        sentence="Good.",
        score=1,
        received_at=now,
    )
    styles = list(STYLES)[:headshots]
    shoot = Shoot.objects.create(
        subject=subject,
        state=ShootState.DONE,
        photo_ids=[str(photo.id)],
        style_ids=styles,
        steps_done=1,
        steps_total=1,
        created_at=now,
        finished_at=now,
    )
    made = [
        Headshot.objects.create(
            subject=subject,
            shoot=shoot,
            photo_id=photo.id,
            style_id=style,
            object_id=sealed("headshot", master),
            preview_id=sealed("preview", preview),
            made_at=now + dt.timedelta(seconds=place),
        )
        for place, style in enumerate(styles)
    ]
    return {"photo": str(photo.id), "shoot": str(shoot.id), "headshots": [str(one.id) for one in made]}


def session(subject: UUID) -> str:
    """Begin a session as signing in does, and return its cookie's value."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from headshotly.accounts.knowing import BACKEND
    from headshotly.accounts.models import Customer
    from headshotly.accounts.sessions import SessionStore
    from headshotly.policy import clock

    store = SessionStore()
    store[SESSION_KEY] = str(subject)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = Customer.objects.get(id=subject).get_session_auth_hash()
    store["started_at"], store["device"] = clock.now().isoformat(), AGENT
    store.create()
    return str(store.session_key)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    seed(Path(given.pop("folder")), photo=Path(given.pop("photo")), **given)
