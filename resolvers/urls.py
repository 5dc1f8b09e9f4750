"""Where does the browser go? Addresses of the messenger, below the server's public address where they are ours."""

from sqlalchemy import ColumnElement, case, func

from resolvers.statement import PUBLIC_URL, Expression


def address(url: Expression) -> ColumnElement[str]:
    """The whole address; null where the messenger has not given one yet."""
    return case((func.substr(url, 1, 1) == "/", PUBLIC_URL.op("||")(url)), else_=url)
