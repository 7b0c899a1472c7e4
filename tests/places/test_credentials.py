"""No credentials in what is shown, written down or complained about."""

import pytest

from extreg.stores.credentials import Secrets, shown

PLACES = {
    "redis://:s3cret@host:6379/0": "redis://host:6379/0",
    "redis://user:s3cret@host/0?match=a*": "redis://user@host/0?match=a*",
    "rediss://user:s3c/r@et?#x@host/0": "rediss://user@host/0",
    "redis://host/0?password=s3cret&match=a*": "redis://host/0?match=a*",
    "postgresql+psycopg://u:s3cret@h:5432/base?sslmode=require#t.c": "postgresql+psycopg://u@h:5432/base?sslmode=require#t.c",
    "postgresql:///base?host=h&password=s3cret#t.c": "postgresql:///base?host=h#t.c",
    "postgresql://h/base?sslkey=/etc/k.pem&sslpassword=s3cret#t.c": "postgresql://h/base?sslkey=/etc/k.pem#t.c",
    "mysql+pymysql://root:s3%2Fcret@h/base#t.c": "mysql+pymysql://root@h/base#t.c",
    "https://token:s3cret@host/a@b": "https://host/a@b",
    "https://s3cret@host/a": "https://host/a",
    "https://host/a?X-Amz-Signature=s3cret&X-Amz-Credential=s3cret&v=2": "https://host/a?v=2",
    "s3://bucket/key@v1": "s3://bucket/key@v1",
    "zip://*.pkl::https://s3cret:s3cret@host/a.zip": "zip://*.pkl::https://host/a.zip",
    "sftp://me:s3cret@host/data": "sftp://me@host/data",
    "lmdb:/srv/base#name": "lmdb:/srv/base#name",
    "data/a:b@c": "data/a:b@c",
    "C:\\data": "C:\\data",
    "sqlite:////srv/base.db#t.c": "sqlite:////srv/base.db#t.c",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_shown_without_its_credentials(place):
    assert shown(place) == PLACES[place]
    assert shown(shown(place)) == PLACES[place]


def test_messages_are_rid_of_them_however_they_are_written(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "fr0m env")
    secrets = Secrets("postgresql://u:s3%2Fcr%C3%A9t@h/base?token=t0k#t.c")
    text = "s3%2Fcr%C3%A9t s3/crét s3%2Fcr%C3%A9t t0k fr0m env fr0m%20env fr0m+env 's3/cr\xe9t' u@h"
    assert secrets.scrub(text) == "*** *** *** *** *** *** *** '***' u@h"


def test_a_place_without_any_changes_no_message(monkeypatch):
    for name in ("REDISCLI_AUTH", "PGPASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert Secrets("redis://host").scrub("any text") == "any text"
