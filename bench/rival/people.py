"""The rival's made-up customers; run in a process whose environment names the place."""

import json
import os
import sys
from pathlib import Path
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.rival.settings")  # noqa: TID251 - a program of its own


def seed(folder: Path, *, customers: int, shoots: int, headshots: int, photo: Path, password: str) -> None:
    """Make the database and customers, and leave what a client must know in ``rival.json``."""
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    from bench.rival.models import Picture
    from headshotly.policy import clock
    from headshotly.studio import decoding

    call_command("migrate", "auth", verbosity=0, interactive=False)  # first: PostgreSQL checks what ours refers to
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    pixels = decoding.decode_own(photo.read_bytes())
    (folder / "full.jpg").write_bytes(decoding.encode_master(pixels))
    (folder / "small.jpg").write_bytes(decoding.encode_preview(pixels))
    hashed, known, emails = make_password(password), [], []
    for number in range(customers):
        user = User.objects.create(username=f"load{number}@example.org", password=hashed)
        emails.append(user.username)
        made = []
        for place in range(headshots if number < shoots else 0):
            # Files of their own, so that nothing is warmer than it would be.
            names = [f"{uuid4().hex}.jpg" for _ in range(2)]
            for name, kind in zip(names, ("full", "small"), strict=True):
                (folder / name).write_bytes((folder / f"{kind}.jpg").read_bytes())
            made.append(
                Picture.objects.create(
                    owner=user, title=f"Style {place}", path=names[0], preview_path=names[1], made_at=clock.now()
                )
            )
        store = SessionStore()
        store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.create()
        known.append({"headshots": [str(one.id) for one in made], "session": store.session_key})
    (folder / "rival.json").write_text(json.dumps({"password": password, "emails": emails, "people": known}))


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    seed(Path(given.pop("folder")), photo=Path(given.pop("photo")), **given)
