"""Objects of the standard library as programs keep them in pickles.  Runs under Python 3.6 and later."""

import array
import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import sys
import uuid

try:
    import zoneinfo
except ImportError:  # before 3.9
    zoneinfo = None

UTC = datetime.timezone.utc
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, UTC)
IDENTITY = uuid.UUID("12345678123456781234567812345678")


def history(count):
    """Return `count` events that share no object but their type's name."""
    step = datetime.timedelta(minutes=1)
    return [{"at": MOMENT + step * number, "amount": decimal.Decimal(number)} for number in range(count)]


#: By name: what makes the object.
THINGS = {
    "datetime": lambda: MOMENT,
    "datetime-naive": lambda: datetime.datetime(2024, 2, 29, 12, 30),
    "date": lambda: datetime.date(2024, 2, 29),
    "time": lambda: datetime.time(12, 30, 15, 7),
    "timedelta": lambda: datetime.timedelta(days=-1, seconds=3, microseconds=5),
    "timezone": lambda: datetime.timezone(datetime.timedelta(hours=5, minutes=30), "IST"),
    "decimal": lambda: decimal.Decimal("1234.50"),
    "decimal-special": lambda: [decimal.Decimal("-Infinity"), decimal.Decimal("-0.00")],
    "fraction": lambda: fractions.Fraction(22, 7),
    "uuid": lambda: IDENTITY,
    "ordereddict": lambda: collections.OrderedDict([("b", 1), ("a", 2)]),
    "defaultdict": lambda: collections.defaultdict(list, {"a": [1, 2]}),
    "defaultdicts": lambda: [collections.defaultdict(kind, a=kind()) for kind in (int, dict, set)],
    "counter": lambda: collections.Counter("mississippi"),
    "deque": lambda: collections.deque([1, 2, 3], maxlen=5),
    "array": lambda: array.array("d", [0.5, 1.5, 2.5]),
    "purepath": lambda: pathlib.PurePosixPath("/srv/data/orders.csv"),
    "purewindowspath": lambda: pathlib.PureWindowsPath("C:\\data\\orders.csv"),
    "path": lambda: pathlib.PosixPath("/srv/data/orders.csv"),
    "path-relative": lambda: pathlib.PosixPath("data") / "orders.csv",
    "path-classes": lambda: [pathlib.Path, pathlib.PurePath, pathlib.WindowsPath],
    "ipv4": lambda: [ipaddress.IPv4Address("192.0.2.1"), ipaddress.IPv4Network("192.0.2.0/24")],
    "ipv4-interface": lambda: ipaddress.IPv4Interface("192.0.2.1/24"),
    "ipv6": lambda: [ipaddress.IPv6Address("2001:db8::1"), ipaddress.IPv6Network("2001:db8::/32")],
    "ipv6-interface": lambda: ipaddress.IPv6Interface("2001:db8::1/32"),
    # What a queue, a cache or a session holds.
    "message": lambda: {"id": IDENTITY, "at": MOMENT, "total": decimal.Decimal("99.90"), "to": ["a@example.com"]},
    "session": lambda: {"user": 4711, "seen": MOMENT, "basket": collections.OrderedDict(sku=2)},
    "file": lambda: {"path": pathlib.PosixPath("/srv/data/a.csv"), "changed": MOMENT, "size": 1024},
    "history-5": lambda: history(5),
}
if zoneinfo is not None:
    THINGS["zoneinfo"] = lambda: datetime.datetime(2024, 7, 1, 12, 0, tzinfo=zoneinfo.ZoneInfo("Europe/Rome"))


def same(found, made):
    """Whether `found`, which was loaded, is what was made, and works as such."""
    return type(found) is type(made) and found == made and repr(found) == repr(made) and works(found)


def works(found):
    """Use an object as its owner would, so that one whose state did not survive shows it."""
    if isinstance(found, dict):
        return list(found) == list(dict(found)) and all(works(value) for value in found.values())
    if isinstance(found, (list, set, collections.deque)):
        return all(works(value) for value in found)
    if isinstance(found, (datetime.datetime, datetime.date, datetime.time)):
        return bool(found.isoformat()) and found.replace() == found
    if isinstance(found, datetime.timezone):
        return found.utcoffset(None) is not None and bool(found.tzname(None))
    if isinstance(found, datetime.timedelta):
        return found - found == datetime.timedelta(0)
    if isinstance(found, decimal.Decimal):
        return hash(+found) is not None and (not found.is_finite() or found - found == 0)
    if isinstance(found, fractions.Fraction):
        return found / found == 1
    if isinstance(found, uuid.UUID):
        return len(found.hex) == 32 and hash(found) == hash(uuid.UUID(str(found)))
    if isinstance(found, array.array):
        return found.tolist() == list(found)
    if isinstance(found, pathlib.PurePath):
        return found / "x" == type(found)(str(found), "x") and hash(found) == hash(type(found)(str(found)))
    if isinstance(found, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return found[0] in found and found.subnet_of(found) if sys.version_info >= (3, 7) else True
    return hash(found) is not None


def version():
    """Return the version of the library: that of Python."""
    return sys.version.split()[0]
