"""Under which policy are the rules tried, and hold as they are printed? Reach is narrow, the rest is offered."""

from collections.abc import Mapping

PRESET = "CAMPUS"

KNOBS: Mapping[str, object] = {
    "conversationKinds": ["DIRECT", "GROUP", "MAIL"],
    "chatKinds": ["TEACHERS", "GROUP", "PARENTS", "SUBGROUP", "CUSTOM"],
    "linkRequirement": "ACT",
    "reply": "ALWAYS",
    "audiencesAsRecipients": True,
    "attachments": True,
    "messageDeletion": "TRASH",
    "conversationDeletion": True,
    "historyAfterLeaving": True,
    "newsFeed": True,
}
"""What differs from the preset. Messages are deleted for oneself where `messageDeletion` is FOR_ME."""
