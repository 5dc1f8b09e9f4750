"""May whoever holds this address fetch the file? Addresses of attachments, signed for one person and ten minutes.

A signature does not open anything by itself: it stands for a person where no token can be sent, as in the
picture of a page. Whether that person may have the file is asked again when it is fetched.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import quote

from models.actor import Viewer
from models.database import Clock

LASTS = timedelta(minutes=10)

_SIGNATURE = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,18})-([A-Za-z0-9_-]{43})", re.ASCII)


class Signer:
    """Makes and reads signed addresses. `public_url` begins them; `secret` is the server's, used for nothing else
    in this form."""

    def __init__(self, secret: str, *, public_url: str, clock: Clock) -> None:
        self._key = hmac.digest(secret.encode(), b"addresses of attachments", "sha256")
        self._public_url = public_url
        self._clock = clock

    def address(self, viewer: Viewer, attachment_id: int, name: str) -> str:
        """Where the viewer fetches this attachment for the next ten minutes. The name is there to be read."""
        until = int((self._clock() + LASTS).timestamp())
        signed = f"{viewer.organization_id}-{viewer.id}-{until}"
        return (
            f"{self._public_url}/attachments/Attachment_{attachment_id}/{quote(name, safe='')}"
            f"?signature={signed}-{self._mark(signed, attachment_id)}"
        )

    def viewer(self, signature: str, attachment_id: int) -> Viewer | None:
        """For whom this attachment's address was signed; None for a signature that is wrong, of another
        attachment, or older than ten minutes."""
        found = _SIGNATURE.fullmatch(signature)
        if found is None:
            return None
        organization_id, user_id, until, mark = found.groups()
        known = self._mark(f"{organization_id}-{user_id}-{until}", attachment_id)
        if not hmac.compare_digest(mark, known) or int(until) <= self._clock().timestamp():
            return None
        return Viewer(int(user_id), int(organization_id))

    def _mark(self, signed: str, attachment_id: int) -> str:
        digest = hmac.digest(self._key, f"{signed}-{attachment_id}".encode(), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")
