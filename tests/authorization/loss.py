"""What is a loss? Somebody who has a right, and what it gives him until it is gone."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from models.errors import Code
from tests.authorization.cast import Case
from tests.authorization.stage import Stage

Lose = Callable[[Stage, Case], object]


class Loss(NamedTuple):
    """`sees`: fields in which the thing was; `does`: mutations that were allowed, and the code afterwards;
    `hears`: subscriptions that told of the thing. `keeps_node`: the thing itself is still seen."""

    name: str
    case: Case
    lose: Lose
    sees: tuple[str, ...] = ()
    does: Mapping[str, Code] = {}
    hears: tuple[str, ...] = ()
    keeps_node: bool = False
