"""What can one ask of the program at a terminal? Every command, its arguments, and what it prints.

Modules that take long to import are imported by the commands that need them.
"""

import io
import sys
from datetime import date as local_date
from pathlib import Path
from typing import Annotated

import typer

from app.commands.mistake import Commands, Mistake

cli = typer.Typer(
    cls=Commands,
    help="Préau, the messaging backend of a school.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

OneOrganization = Annotated[
    str | None, typer.Option("--organization", metavar="NAME", help="This one alone, by name or sourcedId.")
]

Person = Annotated[str, typer.Argument(metavar="LOGIN", help="Or the id, as in User_17; also of who has left.")]


@cli.command()
def serve() -> None:
    """Serve the API, until the process is told to stop."""
    from app.commands.opening import opened
    from app.server import run

    with opened() as here:
        run(here.settings)


@cli.command()
def migrate() -> None:
    """Make the database, or bring it up to date."""
    from app.commands.opening import opened

    with opened() as here:
        print(f"{here.database.backend.place} is up to date.")


@cli.command("import")
def import_roster(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A OneRoster CSV set (1.1, 1.2, SDS v2.1): a zip or a folder.")
    ],
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="The policy to follow.")] = None,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="As in Europe/Paris.")] = None,
    locale: Annotated[str | None, typer.Option(metavar="CODE", help="en, fr or ru.")] = None,
) -> None:
    """Import a roster. A set with faults changes nothing."""
    from app.commands.opening import opened
    from app.commands.rosters import import_set

    with opened() as here:
        for line in import_set(here.database, path, preset=preset, time_zone=time_zone, locale=locale):
            print(line)


@cli.command()
def demo() -> None:
    """Import the demo schools, once; print their tokens.

    A line per person: LOGIN  POSITION  NAME  TOKEN, with two or more spaces between.
    """
    from app.commands.opening import opened
    from app.demo import demo_people
    from jobs.demo import prepare

    with opened() as here:
        is_new = prepare(here.database)
        print("The demo schools are ready." if is_new else "The demo schools are here already.", file=sys.stderr)
        now = here.database.clock()
        for person in demo_people(here.database):
            token = "-" if here.settings.jwks_url else here.tokens.issue(person.viewer, now=now)
            print(f"{person.login:<18}  {person.position.name:<13}  {person.name:<30}  {token}")


@cli.command()
def nightly(
    date: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The night of this local date; else today's.")
    ] = None,
    organization: OneOrganization = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show past nights instead: when, how long, what.")
    ] = False,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="With --status: at most so many.")] = 20,
) -> None:
    """Run the night where it has not run yet.

    It finishes stale calls, rebuilds mandatory chats, lets go what waited for it, and removes files that no
    message wanted.
    """
    from app.commands import nights
    from app.commands.opening import opened
    from app.storage import Storage
    from jobs.orphans import remove_files

    night_of = None if date is None else _date(date)
    if status and night_of is not None:
        raise Mistake("--status shows past nights; --date runs one.")
    with opened() as here:
        if status:
            nights.show_status(here.database, organization=organization, most=last)
            return
        for line in nights.run(here.database, local_date=night_of, organization=organization):
            print(line)
        try:
            remove_files(here.database, Storage(here.settings.storage_url))
        except OSError as error:
            raise Mistake(f"PREAU_STORAGE_URL: {error}") from None


@cli.command()
def token(login: Annotated[str, typer.Argument(metavar="LOGIN")], organization: OneOrganization = None) -> None:
    """Print a bearer token for this person, valid for 12 hours."""
    from app.commands.opening import opened
    from app.commands.people import find_person

    with opened() as here:
        viewer = find_person(here.database, login, organization=organization)
        if here.settings.jwks_url:
            raise Mistake("PREAU_JWKS_URL: no other tokens are taken than those of the identity provider.")
        print(here.tokens.issue(viewer, now=here.database.clock()))


@cli.command()
def policy(
    organization: Annotated[str, typer.Argument(metavar="ORGANIZATION", help="Its name or sourcedId.")],
    knobs: Annotated[list[str] | None, typer.Argument(metavar="KNOB=VALUE")] = None,
) -> None:
    """Print an organization's policy, or change it.

    Values are GraphQL literals, as in lockdown=true or 'chatKinds=[SUBGROUP, CUSTOM]'; effective at once.
    """
    from app.commands.knobs import changed, knob_lines
    from app.commands.opening import opened
    from models import audit
    from models.organization import organization as organization_of
    from models.organization import organization_called, set_policy

    with opened() as here, here.database.transaction() as tx:
        try:
            found = organization_called(tx, organization)
        except ValueError as error:
            raise Mistake(str(error)) from None
        tx.hold(found.id)
        school = organization_of(tx, found.id)  # as it is now that nobody else changes it
        now, names = changed(school.policy, knobs or [])
        if now != school.policy:
            set_policy(tx, school.id, school.preset, now)
            audit.keep(tx, school.id, "changePolicy", [f"Organization_{school.id}"])
    for line in knob_lines(now, names or None):
        print(line)


@cli.command()
def backup(path: Annotated[Path, typer.Argument(metavar="PATH", help="A file that is not there yet.")]) -> None:
    """Copy an SQLite database to a file, also while a server writes in it.

    Copy the folder of attachments after it.
    """
    from app.commands.backups import back_up
    from app.commands.opening import read_settings

    back_up(read_settings().database_url, path, told=print)


@cli.command("export-person")
def export_person(
    who: Person,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A zip file that is not there yet.")],
    organization: OneOrganization = None,
) -> None:
    """Write everything that is stored of a person to a zip file: for who asks what the school knows."""
    from app.commands.opening import opened
    from app.commands.persons import export
    from app.storage import Storage

    with opened() as here:
        for line in export(here.database, Storage(here.settings.storage_url), who, path, in_=organization):
            print(line)


@cli.command("erase-person")
def erase_person(
    who: Person,
    organization: OneOrganization = None,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
) -> None:
    """Erase a person for good: who it was, what was written, and the files.

    Others' conversations stay, with a neutral name in them. No roster brings the person back.
    """
    from app.commands.opening import opened
    from app.commands.persons import erase, who_it_is
    from app.storage import Storage

    with opened() as here:
        if not yes:
            person = who_it_is(here.database, who, in_=organization)
            typer.confirm(f"Erase {person}? This cannot be taken back.", abort=True, err=True)
        for line in erase(here.database, Storage(here.settings.storage_url), who, in_=organization):
            print(line)


@cli.command("admit-again")
def admit_again(
    sourced_id: Annotated[str, typer.Argument(metavar="SOURCEDID", help="As the roster has it.")],
    organization: Annotated[str, typer.Option("--organization", metavar="NAME")],
) -> None:
    """Let a roster bring somebody whom erase-person keeps out, as somebody new."""
    from app.commands.opening import opened
    from app.commands.persons import admit_again

    with opened() as here:
        print(admit_again(here.database, sourced_id, in_=organization))


@cli.command()
def outbox(
    again: Annotated[bool, typer.Option("--again", help="Try again what was given up.")] = False,
) -> None:
    """Show what the messenger outside has not been told, and what was given up."""
    from app.commands.opening import opened
    from app.commands.waiting import waiting_lines

    with opened() as here:
        for line in waiting_lines(here.database, again=again):
            print(line)


@cli.command()
def schema() -> None:
    """Print the API's schema."""
    from schema import schema as api

    print(api.as_str())


@cli.command()
def authorization() -> None:
    """Print who may see, do and hear what, as docs/authorization.md has it."""
    from app.commands.authorization import page_lines

    for line in page_lines():
        print(line)


def _date(text: str) -> local_date:
    try:
        found = local_date.fromisoformat(text)
    except ValueError:
        raise Mistake(f"{text}: no date; YYYY-MM-DD is wanted") from None
    if found.isoformat() != text:  # other spellings of ISO 8601
        raise Mistake(f"{text}: write the date as {found}")
    return found


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show a name still gets the line
        sys.stdout.reconfigure(errors="backslashreplace")
    cli(prog_name="python -m app")
