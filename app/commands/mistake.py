"""How does a command say that it was asked for something that cannot be? One line, and exit code 1."""

from typing import Any

import typer
from typer.core import TyperGroup


class Mistake(Exception):
    """What the person at the terminal got wrong, in one line."""


class Commands(TyperGroup):
    """Commands whose mistakes are told on stderr."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Mistake as mistake:
            text = " ".join(str(mistake).split())
        except UnicodeEncodeError:
            text = "An argument is not valid text in this terminal's encoding."
        typer.echo(text, err=True)
        raise typer.Exit(1)
