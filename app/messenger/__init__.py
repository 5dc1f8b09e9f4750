"""Which messenger does the school use? The built-in one, or a bridge to the one that a region runs."""

from typing import TYPE_CHECKING

from app.messenger.builtin import BuiltinMessenger
from app.messenger.webhook import WebhookMessenger
from models.messenger import ExternalMessenger

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["BuiltinMessenger", "WebhookMessenger", "messenger_of"]


def messenger_of(settings: "Settings") -> ExternalMessenger:
    """The one that the settings name."""
    if settings.messenger_url == "builtin:":
        return BuiltinMessenger(settings.signing_secret, call_url=settings.call_url)
    return WebhookMessenger(settings.signing_secret, home=settings.messenger_home, call_url=settings.call_url)
