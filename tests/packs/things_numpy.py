"""Objects of numpy as programs keep them in pickles.  Runs under numpy 1.21 and later."""

import datetime

import numpy as np

RECORD = [("name", "U8"), ("size", "f8"), ("box", "i4", (2,))]

#: By name: what makes the object.
THINGS = {
    "array": lambda: np.arange(12.0).reshape(3, 4),
    "array-fortran": lambda: np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "array-strided": lambda: np.arange(12)[::2],
    "array-int8": lambda: np.array([-1, 0, 1], dtype=np.int8),
    "array-bool": lambda: np.array([True, False]),
    "array-complex": lambda: np.array([1 + 2j, 3 - 4j]),
    "array-bigendian": lambda: np.array([1, 2, 3], dtype=">i4"),
    "array-text": lambda: np.array(["pear", "apple"]),
    "array-bytes": lambda: np.array([b"pear", b"apple"]),
    "array-object": lambda: np.array([1, "two", None, datetime.date(2024, 2, 29)], dtype=object),
    "array-datetime": lambda: np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),
    "array-timedelta": lambda: np.array([1, 2], dtype="timedelta64[s]"),
    "array-structured": lambda: np.array([("pear", 1.5, (1, 2)), ("fig", 0.5, (3, 4))], dtype=RECORD),
    "array-empty": lambda: np.zeros((0, 3)),
    "array-0d": lambda: np.array(7.5),
    "scalar-float64": lambda: np.float64(1.5),
    "scalar-float32": lambda: np.float32(1.5),
    "scalar-int64": lambda: np.int64(-7),
    "scalar-bool": lambda: np.bool_(True),
    "scalar-str": lambda: np.str_("pear"),
    "scalar-bytes": lambda: np.bytes_(b"pear"),
    "scalar-complex": lambda: np.complex128(1 + 2j),
    "scalar-datetime": lambda: np.datetime64("2024-02-29T12:30"),
    "scalar-void": lambda: np.array([("pear", 1.5, (1, 2))], dtype=RECORD)[0],
    "dtype": lambda: np.dtype("float64"),
    "dtype-structured": lambda: np.dtype(RECORD),
    "dtype-datetime": lambda: np.dtype("datetime64[ns]"),
    "types": lambda: [np.bool_, np.float16, np.float32, np.float64, np.complex128, np.ndarray, np.dtype],
    "types-int": lambda: [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64],
    "types-other": lambda: [np.bytes_, np.datetime64, np.object_, np.str_, np.timedelta64, np.void],
    "ufunc": lambda: [np.add, np.log],
    "masked": lambda: np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False], fill_value=-1.0),
    "masked-constant": lambda: np.ma.masked,
    "record": lambda: np.rec.array([(1, "pear"), (2, "fig")], dtype=[("id", "i4"), ("name", "U8")]),
    "record-one": lambda: np.rec.array([(1, "pear")], dtype=[("id", "i4"), ("name", "U8")])[0],
    "chararray": lambda: np.char.array(["pear", "fig "]),
    "matrix": lambda: np.asmatrix([[1, 2], [3, 4]]),
    "poly1d": lambda: np.poly1d([1.0, -3.0, 2.0]),
    "polynomial": lambda: np.polynomial.Polynomial([1.0, 2.0, 3.0]),
    "axiserror": lambda: raised(lambda: np.zeros(3).sum(axis=5)),
    "linalgerror": lambda: raised(lambda: np.linalg.inv(np.zeros((2, 2)))),
    "warnings": lambda: [named("exceptions", "VisibleDeprecationWarning"), named("exceptions", "ComplexWarning")],
    # What caches and queues of numerical programs hold.
    "sample": lambda: {"x": np.arange(6.0).reshape(2, 3), "y": np.array([0, 1]), "score": np.float64(0.75)},
    "weights": lambda: [np.ones((3, 2), dtype=np.float32), np.zeros(2, dtype=np.float32)],
}


def raised(call):
    """Return the error that `call` raises."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def named(module, name):
    """Return a class of numpy's, from its module of today or from numpy itself."""
    return getattr(getattr(np, module, np), name)


def same(found, made):
    """Whether `found`, which was loaded, is what was made, and works as such."""
    if type(found) is not type(made):
        return False
    if isinstance(made, dict):
        return list(found) == list(made) and all(same(found[key], made[key]) for key in made)
    if isinstance(made, list):
        return len(found) == len(made) and all(map(same, found, made))
    if made is np.ma.masked:
        return found is made
    if isinstance(made, np.ma.MaskedArray):
        return (
            same(found.data, made.data)
            and same(found.mask, made.mask)
            and found.fill_value == made.fill_value
            and (found.sum() == made.sum())
        )
    if isinstance(made, (np.ndarray, np.generic)):
        return same_array(found, made)
    if isinstance(made, BaseException):
        return str(found) == str(made)
    if isinstance(made, np.ufunc):
        return found is made
    if isinstance(made, np.poly1d):
        return found == made and found(3.0) == made(3.0)
    return bool(found == made)


def same_array(found, made):
    """Whether two arrays or scalars are equal, and can be calculated with, copied and written to.

    Before protocol 5 numpy itself turns foreign byte orders into the machine's.
    """
    if found.dtype.newbyteorder("=") != made.dtype.newbyteorder("=") or found.shape != made.shape:
        return False
    if isinstance(made, np.ndarray):
        if made.flags.f_contiguous and not found.flags.f_contiguous:
            return False
        if made.ndim and made.size:
            found[:1] = found[:1].copy()
    if made.dtype.kind in "iufc":
        return bool(((found + found) == (made + made)).all())
    return str(found.tolist()) == str(made.tolist())


def version():
    """Return the version of the library."""
    return np.__version__
