"""What is true in a school: tables, scopes, decisions, events."""
