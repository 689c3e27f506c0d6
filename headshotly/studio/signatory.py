"""Who signs content credentials here: the operator's certificate, or one that we make ourselves on first use."""

import datetime as dt
import os
from pathlib import Path
from uuid import uuid4

from headshotly.policy import clock, configuration
from headshotly.studio import credentials
from headshotly.studio.credentials import Signatory
from headshotly.studio.errors import CredentialsUnusable

_RENEW_BEFORE = dt.timedelta(days=30)
_known: dict[tuple[Path, int], Signatory] = {}


def current() -> Signatory:
    """Return who signs. Option ``credentials.file`` names the operator's PEM file: certificates, then the key.

    Without it we make one, in the data folder or in that of the option ``credentials.folder``.

    Raises:
        CredentialsUnusable: the file cannot be read or made, is open to others, or does not fit.
    """
    here = configuration.current()
    own = here.options.get("credentials.file")
    folder = Path(here.options.get("credentials.folder") or here.data_folder)
    path = Path(own) if own else folder / "content-credentials.pem"
    now = clock.now()
    try:
        if not own:
            _ensure(path, now)
        state = path.stat()
        if state.st_mode & 0o077:
            raise CredentialsUnusable(f"The file {path.name} holds a key and must be readable by its owner only.")
        held = _known.get((path, state.st_mtime_ns))
        if held is None or held.expires <= now:
            held = credentials.load(path.read_bytes(), now)
            _known[path, state.st_mtime_ns] = held
    except OSError as error:
        raise CredentialsUnusable(
            f"The file {path} for content credentials cannot be used: {error.strerror}."
        ) from error
    return held


def _ensure(path: Path, now: dt.datetime) -> None:
    """Make a certificate where there is none that holds on. Of two makers of the first one, the first link wins.

    A crash leaves a scratch file that nobody reads. An old certificate's pictures stay as they were signed.
    """
    if path.exists():
        held = _known.get((path, path.stat().st_mtime_ns))
        if held is not None and held.expires - _RENEW_BEFORE > now:
            return
        try:
            if credentials.load(path.read_bytes(), now).expires - _RENEW_BEFORE > now:
                return
        except CredentialsUnusable:
            pass  # damaged or run out: ours to make anew
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(credentials.make(now))
        file.flush()
        os.fsync(file.fileno())
    try:
        if path.exists():
            scratch.replace(path)
        else:
            os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink(missing_ok=True)
