"""By which rule is each mutation allowed? None can be shipped without one."""

from graphql import GraphQLField, GraphQLSchema

from models.authorization.rule import Rule
from resolvers.projection import PROJECTIONS
from resolvers.streams import STREAMS
from schema.errors import Refusals


def mutation_rules(schema: GraphQLSchema) -> dict[str, Rule]:
    """The rule of each mutation, by its name. Raises TypeError for one without."""
    fields = schema.mutation_type.fields if schema.mutation_type else {}
    return {name: _rule(name, field) for name, field in fields.items()}


def check_rules(schema: GraphQLSchema) -> None:
    """Raises TypeError for a mutation or a subscription of which nothing says for whom it is."""
    mutation_rules(schema)
    fields = schema.subscription_type.fields if schema.subscription_type else {}
    for name in fields:
        if name not in STREAMS and name not in PROJECTIONS["Subscription"].entries:
            raise TypeError(f"Who hears {name}? There is no rule.")


def _rule(name: str, field: GraphQLField) -> Rule:
    definition = field.extensions["strawberry-definition"]
    for extension in definition.extensions:
        if isinstance(extension, Refusals):
            return extension.allowed_to
    raise TypeError(f"To whom is {name} allowed? There is no rule.")
