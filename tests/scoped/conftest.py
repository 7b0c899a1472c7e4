import copyreg

import pytest


@pytest.fixture(autouse=True)
def copyreg_as_it_was():
    """Scoped use leaves copyreg alone; what a test itself puts there is taken out again."""
    tables = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)
    before = [dict(table) for table in tables]
    yield
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)
