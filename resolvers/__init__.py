"""How an operation is answered: find in scope, decide, act, read what was asked, listen."""
