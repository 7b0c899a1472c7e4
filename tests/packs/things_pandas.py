"""Objects of pandas as programs keep them in pickles.  Runs under pandas 1.5 and later."""

import datetime

import numpy as np
import pandas as pd

DAYS = pd.to_datetime(["2024-02-28", "2024-02-29", "2024-03-01"])


def frame():
    """Return a frame with a column of each usual kind."""
    return pd.DataFrame(
        {
            "id": np.array([1, 2, 3], dtype="int64"),
            "price": [1.5, 2.5, np.nan],
            "name": pd.Series(["pear", "fig", None], dtype=object),
            "sold": [True, False, True],
            "day": DAYS.as_unit("ns") if hasattr(DAYS, "as_unit") else DAYS,
        }
    )


def categories():
    """Return a categorical whose categories are objects in every version, where pandas 3 would take its own strings."""
    return pd.Categorical(["b", "a", "b"], categories=pd.Index(["a", "b"], dtype=object))


def labels(*names):
    """Return an index of text of dtype object, as pandas before 3 makes it."""
    return pd.Index(names, dtype=object)


def moments():
    """Return an index of days in nanoseconds, as pandas before 3 makes it."""
    return DAYS.as_unit("ns") if hasattr(DAYS, "as_unit") else DAYS


#: By name: what makes the object.
THINGS = {
    "frame": lambda: frame().set_axis(labels("id", "price", "name", "sold", "day"), axis=1),
    "frame-int": lambda: pd.DataFrame({"a": [1, 2]}, index=[10, 20]).set_axis(labels("a"), axis=1),
    "frame-int-columns": lambda: pd.DataFrame(np.arange(6).reshape(2, 3), index=[7, 9], columns=[3, 5, 8]),
    "frame-float": lambda: pd.DataFrame(np.ones((2, 2)), index=[0.5, 1.5]),
    "frame-empty": lambda: pd.DataFrame(index=pd.RangeIndex(0), columns=labels()),
    "frame-multi": lambda: pd.DataFrame(
        np.arange(4.0), index=pd.MultiIndex.from_arrays([[1, 1, 2, 2], [3, 4, 3, 4]], names=["a", "b"])
    ),
    "series-int": lambda: pd.Series([1.5, 2.5], index=[10, 20], name="price"),
    "series-range": lambda: pd.Series([1, 2, 3]),
    "series-text": lambda: pd.Series(["pear", "fig"], dtype=object),
    "series-datetime": lambda: pd.Series([1, 2, 3], index=moments()),
    "series-category": lambda: pd.Series(categories()),
    "series-nullable": lambda: pd.Series([1, None, 3], dtype="Int64"),
    "series-boolean": lambda: pd.Series([True, None], dtype="boolean"),
    "series-tz": lambda: pd.Series(moments().tz_localize("UTC")),
    "series-sparse": lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1, 2])),
    "series-interval": lambda: pd.Series(pd.interval_range(0, 3)),
    "series-period": lambda: pd.Series(pd.period_range("2024-01", periods=2, freq="D")),
    "series-timedelta": lambda: pd.Series(pd.to_timedelta(np.array([1, 2], dtype="timedelta64[ns]"))),
    "index-int": lambda: pd.Index([10, 20, 40], name="id"),
    "index-uint": lambda: pd.Index(np.array([1, 2], dtype="uint64")),
    "index-float": lambda: pd.Index([0.5, 1.5]),
    "index-text": lambda: labels("a", "b"),
    "index-range": lambda: pd.RangeIndex(2, 10, 2),
    "index-datetime": moments,
    "index-category": lambda: pd.CategoricalIndex(categories()),
    "index-multi": lambda: pd.MultiIndex.from_product([[1, 2], [3, 4]]),
    "timestamp": lambda: pd.Timestamp("2024-02-29 12:30:15.25"),
    "timestamp-utc": lambda: pd.Timestamp("2024-02-29 12:30", tz="UTC"),
    "timedelta": lambda: pd.Timedelta(seconds=90),
    "period": lambda: pd.Period("2024-02-29", freq="D"),
    "interval": lambda: pd.Interval(1, 2, closed="left"),
    "nat": lambda: pd.NaT,
    "na": lambda: pd.NA,
    "categorical": categories,
    "dtypes": lambda: [pd.Int64Dtype(), pd.BooleanDtype(), pd.CategoricalDtype(labels("a")), pd.SparseDtype("int64")],
    "dtype-tz": lambda: pd.DatetimeTZDtype(tz="UTC"),
    "offset": lambda: [pd.offsets.Day(2), pd.offsets.MonthEnd(1), pd.offsets.BusinessDay(1)],
    # What caches and queues of such programs hold.
    "report": lambda: {"at": pd.Timestamp("2024-02-29"), "totals": pd.Series([1.5, 2.5], index=[10, 20])},
    "tagged": lambda: {"day": datetime.date(2024, 2, 29), "frame": pd.DataFrame(np.ones((2, 2)))},
}


def same(found, made):
    """Whether `found`, which was loaded, is what was made, and works as such."""
    if type(found) is not type(made):
        return False
    if isinstance(made, dict):
        return list(found) == list(made) and all(same(found[key], made[key]) for key in made)
    if isinstance(made, list):
        return len(found) == len(made) and all(map(same, found, made))
    if made is pd.NaT or made is pd.NA:
        return found is made
    if isinstance(made, pd.DataFrame):
        pd.testing.assert_frame_equal(found, made, check_freq=False)
        return found.shape == made.shape and repr(found) == repr(made) and works(found)
    if isinstance(made, pd.Series):
        pd.testing.assert_series_equal(found, made, check_freq=False)
        return repr(found) == repr(made) and works(found)
    if isinstance(made, pd.Index):
        pd.testing.assert_index_equal(found, made, exact=True)
        return all(np.array_equal(found.get_loc(label), made.get_loc(label)) for label in made)
    if isinstance(made, pd.Categorical):
        return found.dtype == made.dtype and list(found) == list(made)
    return bool(found == made) and hash(found) == hash(made) and repr(found) == repr(made)


def works(found):
    """Select, append and join, so that an object whose state did not survive shows it."""
    if len(found):
        label = found.index[0]
        if len(found.loc[[label]]) < 1 or len(pd.concat([found, found])) != 2 * len(found):
            return False
    return len(found.reset_index()) == len(found)


def version():
    """Return the version of the library."""
    return pd.__version__
