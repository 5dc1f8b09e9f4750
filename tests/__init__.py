"""The tests: a school acts through its API, and rules answer for themselves."""
