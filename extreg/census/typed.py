"""Reading JSON that somebody else may have written: what is not as it should be is told with its place."""

from collections.abc import Iterator


class Typed:
    """An object of JSON at a ``where``; what is asked for and not there, or of another type, raises ValueError."""

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where or 'the whole'}: expected an object, found {_shown(value)}")  # noqa: TRY004
        self._value = value
        self._where = where

    def text(self, key: str) -> str:
        """Return the string at `key`."""
        found = self._get(key)
        if not isinstance(found, str):
            raise self._unexpected(key, "a string", found)
        return found

    def number(self, key: str) -> int:
        """Return the number at `key`: an int that is not negative."""
        return self._count(key, self._get(key))

    def numbers(self, key: str) -> list[int]:
        """Return the array of numbers at `key`."""
        return [self._count(key, item) for item in self._array(key)]

    def table(self, key: str) -> "Typed":
        """Return the object at `key`."""
        return Typed(self._get(key), self._path(key))

    def rows(self, key: str) -> "Iterator[Typed]":
        """Yield the objects in the array at `key`."""
        for index, item in enumerate(self._array(key)):
            yield Typed(item, f"{self._path(key)}[{index}]")

    def optional_text(self, key: str) -> str | None:
        """Return the string at `key`, or None where there is nothing."""
        return self.text(key) if key in self._value else None

    def optional_number(self, key: str) -> int | None:
        """Return the number at `key`, or None where there is nothing."""
        return self.number(key) if key in self._value else None

    def optional_table(self, key: str) -> "Typed | None":
        """Return the object at `key`, or None where there is nothing."""
        return self.table(key) if key in self._value else None

    def optional_rows(self, key: str) -> "Iterator[Typed]":
        """Yield the objects in the array at `key`; none where there is nothing."""
        return self.rows(key) if key in self._value else iter(())

    def _array(self, key: str) -> list[object]:
        found = self._get(key)
        if not isinstance(found, list):
            raise self._unexpected(key, "an array", found)
        return found

    def _count(self, key: str, value: object) -> int:
        if type(value) is not int or value < 0:
            raise self._unexpected(key, "a number from 0 on", value)
        return value

    def _get(self, key: str) -> object:
        if key not in self._value:
            raise ValueError(f"{self._path(key)}: missing")
        return self._value[key]

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _unexpected(self, key: str, expected: str, found: object) -> ValueError:
        return ValueError(f"{self._path(key)}: expected {expected}, found {_shown(found)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
