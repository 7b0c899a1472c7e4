"""Columns of databases as places: PostgreSQL and MariaDB in databases of one's own, and SQLite."""

import base64
import pickle
import uuid

import pytest

from extreg.stores.items import Fault, Passed
from extreg.stores.opening import open_store
from extreg.stores.store import Change, PlaceError

from .conftest import everything, found_in, goes_on_behind_any_cursor, parts_add_up, sample

sqlalchemy = pytest.importorskip("sqlalchemy")
pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path / 'base.db'}"


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def url(request):
    return request.getfixturevalue(request.param)


def run(url, *statements):
    """Run statements, each with its rows of parameters if it has some."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            text, rows = (statement, None) if isinstance(statement, str) else statement
            connection.execute(sqlalchemy.text(text), rows)


def blob(url):
    return "BYTEA" if url.startswith("postgresql") else "BLOB"


@pytest.fixture
def filled(url):
    run(
        url,
        f"CREATE TABLE cache (id INTEGER PRIMARY KEY, value {blob(url)}, told TEXT, n INTEGER)",
        (
            "INSERT INTO cache VALUES (:id, :value, :told, 1)",
            [
                {"id": 3 * number, "value": sample(number) if number % 5 else None, "told": told(number)}
                for number in range(2600)
            ],
        ),
        f"CREATE TABLE keyed (a VARCHAR(20), b INTEGER, value {blob(url)}, PRIMARY KEY (a, b))",
        (
            "INSERT INTO keyed VALUES (:a, :b, :value)",
            [{"a": f"k{number % 7}", "b": number, "value": sample(number)} for number in range(160)],
        ),
        f"CREATE TABLE bare (value {blob(url)})",
    )
    return url


def told(number):
    return base64.b64encode(b"\x80\x02\x83\x2c\x01.").decode() if number % 2 else "plain"


def test_every_value_is_a_cell_called_by_its_key(filled):
    place = f"{filled}#cache.value"
    cells = everything(open_store(place))
    assert [key for key, *_ in cells] == [f"cache.value[{3 * n}]" for n in range(2600) if n % 5]
    assert [data for _, data, _ in cells] == [sample(n) for n in range(2600) if n % 5]
    assert len(everything(open_store(f"{filled}#keyed.value"))) == 160


def test_a_walk_goes_on_behind_any_cursor_and_the_parts_add_up(filled):
    goes_on_behind_any_cursor(f"{filled}#keyed.value", every=13)
    parts_add_up(f"{filled}#keyed.value")
    goes_on_behind_any_cursor(f"{filled}#cache.value", every=997)
    parts_add_up(f"{filled}#cache.value", counts=(3,))


def test_texts_are_read_as_bytes_are(filled):
    codes, _, others = found_in(f"{filled}#cache.told")
    assert (codes, others) == ({300: 1300}, [])


def test_a_column_that_is_none_or_holds_none_is_told(filled):
    with pytest.raises(PlaceError, match="no column other") as caught:
        open_store(f"{filled}#cache.other")
    assert caught.value.hint == "it has id, value, told, n"
    with pytest.raises(PlaceError, match="no table gone"):
        open_store(f"{filled}#gone.value")
    with pytest.raises(PlaceError, match="no primary key"):
        open_store(f"{filled}#bare.value")
    for wrong in ("", "#cache", "#a.b.c.d", "#.value"):
        with pytest.raises(PlaceError, match="which column is meant") as caught:
            open_store(f"{filled}{wrong}")
        assert "#TABLE.COLUMN" in caught.value.hint
    assert {type(cell) for cell in open_store(f"{filled}#cache.n").cells("1/1")} == {Passed}


def test_a_table_that_grows_meanwhile_loses_nothing(filled):
    walk = open_store(f"{filled}#cache.value").cells("1/1")
    keys = [next(walk).key for _ in range(60)]
    run(
        filled, ("INSERT INTO cache VALUES (:id, :value, NULL, 1)", [{"id": n, "value": sample(n)} for n in (1, 99999)])
    )
    keys += [cell.key for cell in walk]
    assert len(keys) == len(set(keys)) == 2080 + 1
    assert "cache.value[99999]" in keys


def test_no_transaction_is_long(postgres):
    run(postgres, "CREATE TABLE t (id INTEGER PRIMARY KEY, value BYTEA)")
    run(postgres, ("INSERT INTO t VALUES (:id, :value)", [{"id": n, "value": sample(n)} for n in range(200)]))
    walk = open_store(f"{postgres}#t.value").cells("1/1")
    next(walk)
    engine = sqlalchemy.create_engine(postgres, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        query = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(sqlalchemy.text(query)).scalars().all() == ["idle"]
    walk.close()


def test_keys_of_other_types_are_gone_on_from(postgres):
    columns = "a UUID, b TIMESTAMP WITH TIME ZONE, c NUMERIC, d BYTEA, e DATE"
    run(postgres, f"CREATE TABLE t ({columns}, value BYTEA, PRIMARY KEY (a, b, c, d, e))")
    rows = [
        {"a": uuid.UUID(int=n % 3), "b": f"2024-01-0{n % 5 + 1} 10:00:00.123456+02", "c": n / 8, "d": b"\xff%d" % n}
        for n in range(40)
    ]
    insert = "INSERT INTO t VALUES (:a, CAST(:b AS timestamptz), CAST(:c AS numeric), :d, DATE '2024-01-31', 'x')"
    run(postgres, (insert.replace("'x'", "'\\x80024e2e'"), rows))
    cells = goes_on_behind_any_cursor(f"{postgres}#t.value")
    assert {data for _, data, _ in cells} == {b"\x80\x02N."}
    assert len(cells) == 40
    parts_add_up(f"{postgres}#t.value", counts=(3,))


def test_json_and_lists_of_bytes_are_read_as_they_lie_there(postgres):
    run(
        postgres,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, doc JSONB, many BYTEA[])",
        (
            "INSERT INTO t VALUES (1, CAST(:doc AS jsonb), ARRAY[:one, :one])",
            [{"doc": f'{{"b": "{told(1)}"}}', "one": sample(1)}],
        ),
    )
    assert found_in(f"{postgres}#t.doc")[0] == {300: 1}
    assert [key for key, *_ in everything(open_store(f"{postgres}#t.many"))] == ["t.many[1][0]", "t.many[1][1]"]


def test_a_schema_may_stand_in_front(postgres):
    run(postgres, "CREATE SCHEMA other", "CREATE TABLE other.t (id INTEGER PRIMARY KEY, value BYTEA)")
    run(postgres, ("INSERT INTO other.t VALUES (1, :value)", [{"value": sample(1)}]))
    assert len(everything(open_store(f"{postgres}#other.t.value"))) == 1


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_read(postgres):
    """A view that divides by zero in one row stands for a page that is damaged on the disk."""
    run(
        postgres,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, value BYTEA)",
        ("INSERT INTO t VALUES (:id, :value)", [{"id": n, "value": sample(n)} for n in range(300)]),
    )
    store = open_store(f"{postgres}#t.value")
    store._value = sqlalchemy.literal_column("CASE WHEN 1 / (id - 77) IS NULL THEN NULL ELSE value END")
    cells = list(store.cells("1/1"))
    assert [cell for cell in cells if isinstance(cell, Fault)] == [Fault("t.value[77]", "division by zero")]
    assert len(cells) == 300


def test_permission_that_is_missing_is_named(postgres):
    role = f"extreg_{uuid.uuid4().hex}"
    run(postgres, "CREATE TABLE t (id INTEGER PRIMARY KEY, value BYTEA)", f"CREATE ROLE {role} LOGIN PASSWORD 's3cret'")
    try:
        run(postgres, ("INSERT INTO t VALUES (1, :value)", [{"value": sample(1)}]))
        store = open_store(f"{postgres}#t.value")
        store._connection.execute(sqlalchemy.text(f"SET ROLE {role}"))
        with pytest.raises(PlaceError, match="permission denied for table t") as caught:
            list(store.cells("1/1"))
        assert "SELECT" in caught.value.hint
        store.close()
    finally:
        run(postgres, f"DROP ROLE {role}")


def test_a_server_that_goes_away_is_named_and_the_walk_goes_on_where_it_was(postgres):
    run(postgres, "CREATE TABLE t (id INTEGER PRIMARY KEY, value BYTEA)")
    run(postgres, ("INSERT INTO t VALUES (:id, :value)", [{"id": n, "value": sample(n)} for n in range(300)]))
    place = f"{postgres}#t.value"
    keys = [key for key, *_ in everything(open_store(place))]
    walk = open_store(place).cells("1/1")
    seen = [next(walk)]
    run(
        postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    with pytest.raises(PlaceError, match=r"terminat|closed"):
        seen.extend(walk)
    seen += open_store(place).cells("1/1", seen[-1].cursor)
    assert [cell.key for cell in seen] == keys


def test_a_value_is_swapped_if_nobody_else_wrote_it(filled):
    for column, old, new in (("value", sample(1), b"\x80\x02N."), ("told", told(1).encode(), b"other")):
        store = open_store(f"{filled}#cache.{column}")
        cursor = everything(store)[0 if column == "value" else 1][2]
        assert list(store.swap([Change(cursor, b"not this", new), Change(cursor, old, new)])) == [False, True]
        assert everything(store)[0 if column == "value" else 1][1] == new
        store.close()


def test_rows_without_a_key_are_told(sqlite):
    run(sqlite, "CREATE TABLE t (id TEXT PRIMARY KEY, value BLOB)", "INSERT INTO t VALUES (NULL, x'80024e2e')")
    run(sqlite, "INSERT INTO t VALUES ('a', x'80024e2e')")
    cells = list(open_store(f"{sqlite}#t.value").cells("1/1"))
    assert cells[0] == Fault("t.value", "1 rows have NULL in their primary key, and were not read")
    assert len(cells) == 2


def test_pickles_that_sqlalchemy_wrote_are_not_loaded(sqlite):
    engine = sqlalchemy.create_engine(sqlite, poolclass=sqlalchemy.pool.NullPool)
    metadata = sqlalchemy.MetaData()
    columns = (
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("v", sqlalchemy.PickleType),
    )
    table = sqlalchemy.Table("t", metadata, *columns)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"v": pickle.PicklingError("x")}])
    found = found_in(f"{sqlite}#t.v")[1]
    # Where Dask has been imported, tblib pickles exceptions, and there is one more.
    found.pop("tblib.pickling_support:unpickle_exception_with_attrs", None)
    assert found == {"_pickle:PicklingError": 1}


def test_how_many_there_are_is_asked_for_where_that_is_cheap(filled):
    if filled.startswith("postgresql"):
        engine = sqlalchemy.create_engine(filled, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("ANALYZE cache"))
        engine.dispose()
        assert open_store(f"{filled}#cache.value").size() == 2600
    elif filled.startswith("sqlite"):
        assert open_store(f"{filled}#cache.value").size() is None
    else:
        assert open_store(f"{filled}#cache.value").size() > 1000
