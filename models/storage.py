"""What does the school need of the place where files are? One small interface; `app` brings the one in use."""

from collections.abc import Sequence
from typing import Protocol


class FileStorage(Protocol):
    """Never called inside a transaction."""

    def remove(self, keys: Sequence[str]) -> None:
        """The files under these keys are gone, and what is left of uploads that broke off; a key without a file
        is fine. Raises OSError when the storage cannot be reached."""
