"""Does docs/authorization.md say what the rules say?"""

from pathlib import Path

from app.commands.authorization import page_lines
from models.authorization.rule import Kind
from resolvers.streams import STREAMS
from schema import schema

PAGE = Path(__file__).parents[1] / "docs" / "authorization.md"


def test_the_page_is_as_it_is_printed() -> None:
    """`python -m app authorization > docs/authorization.md` brings it up to date."""
    assert PAGE.read_text(encoding="utf-8").splitlines() == list(page_lines())


def test_everything_that_can_be_done_or_heard_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert schema._schema.mutation_type is not None
    for name in (*schema._schema.mutation_type.fields, *STREAMS):
        assert f"`{name}`" in page, name
    assert page.count("\n## ") == len(Kind) + 3  # relations, events, the rules in words
