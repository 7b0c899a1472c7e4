"""Places without their credentials, and messages without them: what is printed, logged or written down."""

import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://", re.DOTALL)
# Where a name alone lets nobody in, and is needed: databases.  Elsewhere it may be a token.
_NAMED: Final = re.compile(r"(?:redis|postgres|mysql|mariadb|oracle|mssql|cockroach|sqlite|s?ftp|ssh)", re.IGNORECASE)
# What a parameter is called that holds a secret, but for those that name a file.
_SECRET: Final = re.compile(r"pass|pwd|secret|token|key|sig|cred|auth|sas", re.IGNORECASE)
_FILE: Final = re.compile(r"file$|^sslkey$|^ssl_key$|_path$|^sslcert", re.IGNORECASE)
# Where the environment has some.
_VARIABLES: Final = ("REDISCLI_AUTH", "PGPASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
HIDDEN: Final = "***"


class _Split(NamedTuple):
    """A place without its credentials, and these."""

    place: str
    secrets: tuple[str, ...]


def shown(place: str) -> str:
    """Return `place` without credentials: no password, no secret parameter, no name where that may be a token.

    A path is returned as it is.
    """
    return _split(place).place


class Secrets:
    """The credentials that came with a place, or are in the environment: to be taken out of messages."""

    def __init__(self, place: str) -> None:
        given = _split(place).secrets + tuple(os.environ.get(name, "") for name in _VARIABLES)
        forms = {form for secret in given for form in _forms(secret)}
        self._found = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def scrub(self, text: str) -> str:
        """Return `text` without any of them."""
        return self._found.sub(HIDDEN, text) if self._found is not None else text


def _forms(secret: str) -> Iterable[str]:
    """Return the ways in which a secret may stand in a message."""
    plain = {secret, unquote(secret), unquote_plus(secret)}
    quoted = {change(text) for text in plain for change in (quote, quote_plus)} | {
        quote(text, safe="") for text in plain
    }
    return (plain | quoted | {repr(text)[1:-1] for text in plain}) - {""}


def _split(place: str) -> _Split:
    # fsspec chains what lies within each other by two colons.
    links = [_link(link) for link in place.split("::")]
    return _Split("::".join(link.place for link in links), tuple(secret for link in links for secret in link.secrets))


def _link(link: str) -> _Split:
    found = _URL.match(link)
    if found is None:
        return _Split(link, ())
    rest, hidden = link[found.end() :], []
    named = _NAMED.match(found["scheme"]) is not None
    # A password may have any of /?# where nobody has escaped it: of a database the last @ ends it, before the table.
    ends = rest.rpartition("#")[0] or rest if named and "@" not in rest.rpartition("#")[2] else rest
    host = ends if named else re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = host.rpartition("@")
    if at:
        name, _, password = user.partition(":")
        hidden += [password] if named else [user, name, password]
        rest = f"{name}@{rest[len(user) + 1 :]}" if named and name else rest[len(user) + 1 :]
    rest, more = _without_secrets(rest)
    return _Split(found[0] + rest, tuple(secret for secret in (*hidden, *more) if secret))


def _without_secrets(rest: str) -> tuple[str, list[str]]:
    """Return what follows the host without the parameters that are secrets, and these."""
    before, mark, query = rest.partition("?")
    if not mark:
        return rest, []
    query, hash_, fragment = query.partition("#")
    kept, hidden = [], []
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if _SECRET.search(unquote(name)) and not _FILE.search(unquote(name)):
            hidden.append(value)
        else:
            kept.append(parameter)
    return f"{before}{'?' if kept else ''}{'&'.join(kept)}{hash_}{fragment}", hidden
