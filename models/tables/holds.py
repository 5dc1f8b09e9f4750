"""What does a column hold: something of a person, or nothing of anybody? Each says so in one word, as its `info`.

An export and an erasure follow these words, so a column without one is a mistake that a test finds.
"""

NAME = {"holds": "name"}
"""What somebody is called, and what is made of that for searching."""

ADDRESS = {"holds": "address"}
"""By what somebody is known elsewhere: in the roster, at the messenger, at a provider."""

CONTENT = {"holds": "content"}
"""What somebody wrote or sent."""

PERSON = {"holds": "person"}
"""Who: the number of a person."""

CONDUCT = {"holds": "conduct"}
"""What somebody did or was, and when."""

ROSTER = {"holds": "roster"}
"""What a roster said of everybody, packed."""

SCHOOL = {"holds": "school"}
"""The school's own: its name, its groups, its rules."""

SECRET = {"holds": "secret"}
"""What opens something to whoever knows it. It goes out to nobody."""

TECHNICAL = {"holds": "technical"}
"""Numbers, order and state of the program itself."""

PERSONAL = frozenset(each["holds"] for each in (NAME, ADDRESS, CONTENT, PERSON, CONDUCT, ROSTER))
OF_NOBODY = frozenset(each["holds"] for each in (SCHOOL, SECRET, TECHNICAL))
