"""The key management service: keeps root keys, wraps and unwraps with them, never shows them (clause 3.2.b)."""

import json
from collections.abc import Mapping
from typing import Protocol

type Context = Mapping[str, str]


class KeyService(Protocol):
    """What the vault needs of a KMS. Every wrapped blob names the root it was made with.

    Roots are numbered by epochs: one is current and wraps; older ones only unwrap, until they are retired.
    """

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Return ``key`` encrypted under the current root, bound to ``context``.

        Raises:
            KeyServiceUnavailable: the service did not answer.
        """

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob; the context must be the same.

        Raises:
            KeyServiceUnavailable: the root is retired, the blob or context is wrong, or the service is down.
        """

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob encrypted under the current root; the context stays the same.

        Raises:
            KeyServiceUnavailable: as ``unwrap``.
        """

    def current_root(self) -> str:
        """Return the id of the root that ``wrap`` uses; the first one is made when there is none."""

    def root_of(self, blob: bytes) -> str:
        """Return the id of the root a blob was made with.

        Raises:
            KeyServiceUnavailable: it is no wrapped key.
        """

    def roots(self) -> dict[str, str]:
        """Return every root that is not retired: id → when it was made, ISO 8601."""

    def new_root(self) -> str:
        """Make a new root and use it from now on; older ones still unwrap."""

    def retire(self, root: str) -> None:
        """Destroy a root that is not the current one: what it wrapped is gone for ever. Repeating is harmless.

        Raises:
            ValueError: it is the current one.
        """


def canonical(context: Context) -> bytes:
    """Return a context as bytes, equal for equal contexts."""
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()
