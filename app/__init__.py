"""Wires the school to the world: command line, settings, web, sign-in, messenger."""
