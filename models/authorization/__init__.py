"""Who may see, do and hear what? Rules as data: every field, mutation and event of the API names one.

The rules decide nothing: that is done where something is found (the scopes) and where it is allowed (`decide`).
They say what comes of it for everybody, whoever he is and however he stands to a thing. Tests try them, one by
one, on a school that has somebody for each case; `docs/authorization.md` prints them.
"""
