"""Uploads stay in memory, bounded while they are read: plaintext never touches the disk."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from headshotly.access import services
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

_SLACK = 1024  # bytes kept beyond the limit, so that the studio itself says that a file is too large


def _is_staff(request: Any) -> bool:
    """Say whether a member of staff is signed in, who may bring evidence."""
    return services.session_of(request.COOKIES.get(STAFF_COOKIE, "")) is not None


class TooMuchUploaded(Refusal):
    """More bytes or files than one request may bring."""

    code = "upload.too_much"
    status = 413


class SignInFirst(Refusal):
    """A file came from somebody who is not signed in."""

    code = "upload.sign_in"
    status = 403


@enforces("3.2.a")
class BoundedMemoryUpload(FileUploadHandler):
    """Collects each file in memory. One file too large is cut, so that its neighbours are still judged."""

    def __init__(self, request: Any = None) -> None:
        """Start counting for one request."""
        super().__init__(request)
        here = configuration.current()
        self._file_max = here.photo_bytes_max + _SLACK
        self._files_max = here.photos_per_shoot_max
        self._total_max = here.request_bytes_max
        self._files = self._total = 0
        self._buffer = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin the next file.

        Raises:
            SignInFirst: nobody is signed in and no program showed a token; the form is read before the gate asks, so
                memory is guarded here.
            TooMuchUploaded: there are too many.
        """
        super().new_file(*args, **kwargs)
        if self.request is None or not (
            getattr(self.request, "bearer", None) or self.request.user.is_authenticated or _is_staff(self.request)
        ):
            raise SignInFirst("Please sign in before you send photos.")
        self._files += 1
        if self._files > self._files_max:
            raise TooMuchUploaded(f"Please send at most {self._files_max} photos at a time.")
        self._buffer = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:  # noqa: ARG002 - Django's signature
        """Keep a piece of the file.

        Raises:
            TooMuchUploaded: the request as a whole is too large.
        """
        self._total += len(raw_data)
        if self._total > self._total_max:
            raise TooMuchUploaded(f"Please send at most {self._total_max >> 20} MB at a time.")
        if self._buffer.tell() < self._file_max:
            self._buffer.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """Return the finished file."""
        self._buffer.seek(0)
        return InMemoryUploadedFile(
            file=self._buffer,
            field_name=self.field_name,
            name=self.file_name or "photo",
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
