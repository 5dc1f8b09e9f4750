"""Which messenger does the school use? The built-in one, or a bridge to the one that a region runs."""

from typing import TYPE_CHECKING

from app.messenger.builtin import BuiltinMessenger, NoSignIn, OwnSignIn
from app.messenger.webhook import WebhookMessenger
from app.sign_in import Issuer
from models.messenger import ExternalMessenger
from models.sign_in import SignIn

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["BuiltinMessenger", "WebhookMessenger", "messenger_of"]


def messenger_of(settings: "Settings") -> ExternalMessenger:
    """The one that the settings name."""
    secret, call_url, sign_in = settings.signing_secret, settings.call_url, sign_in_of(settings)
    if settings.is_builtin:
        return BuiltinMessenger(secret, call_url=call_url, sign_in=sign_in)
    return WebhookMessenger(secret, home=settings.messenger_home, call_url=call_url, sign_in=sign_in)


def sign_in_of(settings: "Settings") -> SignIn:
    """The provider that the settings name; else pages of the server's own, where nobody is misled by them."""
    if settings.link_issuer is not None:
        return Issuer(
            settings.link_issuer,
            client_id=settings.link_client_id or "",
            client_secret=settings.link_client_secret or None,
            return_url=settings.link_return_url or f"{settings.address}/",
        )
    if settings.signs_in_itself or settings.is_builtin:
        return OwnSignIn(settings.signing_secret, is_open=settings.signs_in_itself)
    return NoSignIn()
