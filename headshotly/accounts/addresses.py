"""E-mail addresses: checked, and spelled one way, so that one mailbox has one account."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from headshotly.accounts.errors import InputRefused

ADDRESS_MAX = 254  # RFC 5321, section 4.5.3.1.3


def normalise(address: str) -> str:
    """Return the one spelling of an address: trimmed, NFKC, lower case.

    Raises:
        InputRefused: it is no address.
    """
    spelled = unicodedata.normalize("NFKC", address).strip().lower()
    try:
        validate_email(spelled[: ADDRESS_MAX + 1])
    except ValidationError:
        spelled = ""
    if not spelled or len(spelled) > ADDRESS_MAX:
        raise InputRefused("This does not look like an e-mail address.", field="email")
    return spelled
