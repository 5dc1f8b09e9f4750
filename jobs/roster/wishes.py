"""What does the command line ask for beside the set?"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from models.organization import LOCALES
from models.presets import PRESETS

FIRST_PRESET = "EPOS_SCHOOL"
FIRST_LOCALE = "en"


@dataclass(frozen=True)
class Wishes:
    """What is None keeps what an organization has; a new one gets the first preset and locale.

    Raises ValueError with one plain line.
    """

    preset: str | None
    time_zone: str | None
    locale: str | None

    def __post_init__(self) -> None:
        if self.preset is not None and self.preset not in PRESETS:
            raise ValueError(f"{self.preset}: no such preset; known are {', '.join(PRESETS)}")
        if self.locale is not None and self.locale not in LOCALES:
            raise ValueError(f"{self.locale}: no such locale; known are {', '.join(LOCALES)}")
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (KeyError, ValueError, OSError):
                raise ValueError(
                    f"{self.time_zone}: no such time zone; one is called Europe/Paris, for example"
                ) from None
