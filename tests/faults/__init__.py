"""Trials that are too long for a test run: servers killed, networks cut, databases restarted. Run by hand."""
