"""Django, gunicorn and uvicorn: where the line goes, and what happens without it."""

import base64
import sys
import urllib.request

import pytest

from .conftest import eventually, free_port, kill

pytestmark = [pytest.mark.slow, pytest.mark.once]

SETTINGS = """
{line}
SECRET_KEY = "for tests"
USE_TZ = True
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "cache",
        "OPTIONS": {{"MAX_ENTRIES": 10_000}},
    }},
    "database": {{"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}},
}}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}}}
SESSION_ENGINE = "django.contrib.sessions.backends.file"
SESSION_FILE_PATH = "."
SESSION_SERIALIZER = "serializer.PickleSerializer"
INSTALLED_APPS = ["django.contrib.sessions"]
"""
SERIALIZER = """
import pickle
class PickleSerializer:  # as Django had it up to 4.2
    def dumps(self, value):
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    def loads(self, data):
        return pickle.loads(data)
"""
DJANGO = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.core.cache import cache, caches
from django.contrib.sessions.backends.file import SessionStore
import shop
"""
WRITE = f"""{DJANGO}
from django.core.management import call_command
call_command("createcachetable")
orders = [shop.order(number) for number in range(1_000)]
cache.set_many({{str(order.number): order for order in orders}})
assert list(cache.get_many(map(str, range(1_000))).values()) == orders
caches["database"].set("order", orders[0])
session = SessionStore()
session["order"] = orders[0]
session.save()
print(session.session_key)
"""
READ = f"""{DJANGO}
import sys
assert cache.get("7") == shop.order(7) and caches["database"].get("order") == shop.order(0)
print(SessionStore(sys.argv[1])["order"] == shop.order(0))
"""


@pytest.fixture
def django(shop, python):
    pytest.importorskip("django", reason='pip install ".[test-full]"')
    (shop / "serializer.py").write_text(SERIALIZER)

    def run(text, line, *arguments):
        (shop / "settings.py").write_text(SETTINGS.format(line=line))
        return python(text, *arguments)

    return run


def test_with_the_line_in_its_settings_caches_and_sessions_hold_coded_objects(django, shop):
    wrote = django(WRITE, "import extreg.auto")
    assert wrote.returncode == 0, wrote.stderr
    key = wrote.stdout.split()[-1]
    (stored,) = shop.glob(f"*{key}")
    assert b"shop" not in base64.urlsafe_b64decode(stored.read_bytes().split(b":")[0] + b"==")
    assert django(READ, "import extreg.auto", key).stdout == "True\n"


def test_without_it_the_session_is_empty_and_the_next_save_writes_over_it(django):
    key = django(WRITE, "import extreg.auto").stdout.split()[-1]
    lost = f"{DJANGO}import sys\ns = SessionStore(sys.argv[1])\nprint(dict(s.load()))\ns['new'] = 1\ns.save()\n"
    done = django(lost, "", key)
    assert (done.returncode, done.stdout) == (0, "{}\n"), done.stderr
    done = django(READ, "import extreg.auto", key)
    assert "KeyError: 'order'" in done.stderr


def test_without_it_the_cache_raises(django):
    django(WRITE, "import extreg.auto")
    done = django(f"{DJANGO}cache.get('7')\n", "")
    assert "ValueError: unregistered extension code 300" in done.stderr


APP = """
{line}
import pickle, shop
ORDER = {data!r}

def answer():
    try:
        return b"%d" % shop.back(pickle.loads(ORDER)).number
    except ValueError as error:
        return str(error).encode()

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [answer()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": answer()}})
"""


@pytest.fixture
def served(shop, start, python):
    """Start a server for the application and return how to ask it."""
    data = python(
        "import extreg, pickle, shop, sys\nwith extreg.install('./registry.toml'):\n"
        "    sys.stdout.write(repr(pickle.dumps(shop.order(1))))"
    )
    port = free_port()

    def begin(line, module, *options):
        (shop / "app.py").write_text(APP.format(line=line, data=eval(data.stdout)))
        process = start(sys.executable, "-m", module, *[option.format(port=port) for option in options])

        def ask():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
                    return response.read()
            except OSError:
                return b""

        return process, lambda: eventually(ask, process=process)

    return begin


GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "-w", "1", "app:wsgi")
UVICORN = ("uvicorn", "--port", "{port}", "--lifespan", "off", "app:asgi")


def test_gunicorn_with_extreg_auto_as_its_settings_has_the_codes_and_a_new_worker_too(served):
    pytest.importorskip("gunicorn", reason='pip install ".[test-full]"')
    process, ask = served("", *GUNICORN, "-c", "python:extreg.auto")
    assert ask() == b"2"
    kill(process)
    _, ask = served("", *GUNICORN, "-c", "python:extreg.auto")
    assert ask() == b"2"


def test_without_it_gunicorn_does_not(served):
    pytest.importorskip("gunicorn", reason='pip install ".[test-full]"')
    _, ask = served("", *GUNICORN)
    assert ask() == b"unregistered extension code 300"


def test_uvicorn_has_the_codes_of_the_module_of_the_app(served):
    pytest.importorskip("uvicorn", reason='pip install ".[test-full]"')
    _, ask = served("import extreg.auto", *UVICORN)
    assert ask() == b"2"


def test_without_it_uvicorn_does_not(served):
    pytest.importorskip("uvicorn", reason='pip install ".[test-full]"')
    _, ask = served("", *UVICORN)
    assert ask() == b"unregistered extension code 300"
