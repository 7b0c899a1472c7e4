"""Adding up censuses that were taken in parts, or of different places."""

from collections import Counter
from collections.abc import Mapping, Sequence

from extreg.census.counts import Counts
from extreg.census.position import Options
from extreg.census.record import Census, Place
from extreg.errors import UnreadableError

_AGAIN = "take what is missing or wrong once more, and give each part once"


def added(censuses: Mapping[str, Census]) -> Census:
    """Return the sum of censuses, which are known by their names: all parts of one, or whole ones of other places.

    Raises `UnreadableError`, which names them, where one is unfinished or looked for something else, where a part is
    missing or stands twice, or was cut from other places.
    """
    first_name, first = next(iter(censuses.items()))
    for name, census in censuses.items():
        if census.finished is None:
            raise UnreadableError(
                f"{name} is not finished: {_share(census)} was read in part",
                "the command that began it goes on where it stopped",
            )
        if census.options != first.options:
            raise UnreadableError(
                f"{name} looked for something else than {first_name}: {_differ(census, first)}", _AGAIN
            )
    if all(census.shares == 1 for census in censuses.values()):
        places = _of_other_places(censuses)
    else:
        _check_parts(censuses)
        places = _together(list(censuses.values()))
    return _sum(list(censuses.values()), places, first.options)


def _share(census: Census) -> str:
    return f"part {census.share}/{census.shares}"


def _differ(one: Census, other: Census) -> str:
    return f"with {one.options}, and with {other.options}"


def _of_other_places(censuses: Mapping[str, Census]) -> list[Place]:
    """Return the places of whole censuses; none may stand in two of them, or it would count twice."""
    seen: dict[str, str] = {}
    for name, census in censuses.items():
        for place in census.names:
            if place in seen:
                raise UnreadableError(
                    f"{place} stands twice: {seen[place]} and {name} are whole censuses of it",
                    "what is to be added up are parts, taken with --part 1/N to N/N; or give each census once",
                )
            seen[place] = name
    return [place for census in censuses.values() for place in census.places]


def _check_parts(censuses: Mapping[str, Census]) -> None:
    first_name, first = next(iter(censuses.items()))
    by_share: dict[int, str] = {}
    for name, census in censuses.items():
        if census.names != first.names:
            raise UnreadableError(
                f"{name} was cut from other places than {first_name}: {_places(census, first)}", _AGAIN
            )
        if census.shares != first.shares or census.cut != first.cut:
            raise UnreadableError(
                f"{name} is {_share(census)} and {first_name} is {_share(first)}"
                + ("" if census.shares != first.shares else ", and they were cut differently: the places had changed"),
                _AGAIN,
            )
        if census.share in by_share:
            raise UnreadableError(f"{_share(census)} stands twice: in {by_share[census.share]} and in {name}", _AGAIN)
        by_share[census.share] = name
    missing = [f"{share}/{first.shares}" for share in range(1, first.shares + 1) if share not in by_share]
    if missing:
        shown = ", ".join(missing[:20]) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        parts = f"part {shown} is" if len(missing) == 1 else f"parts {shown} are"
        raise UnreadableError(
            f"{parts} missing", f"take it with the command that took the others, and --part {missing[0]}"
        )


def _places(one: Census, other: Census) -> str:
    only = [place for place in one.names if place not in other.names]
    lacking = [place for place in other.names if place not in one.names]
    words = [f"it alone has {', '.join(only)}" if only else "", f"it lacks {', '.join(lacking)}" if lacking else ""]
    return "; ".join(filter(None, words)) or "they stand in another order"


def _together(censuses: Sequence[Census]) -> list[Place]:
    cells: Counter[str] = Counter()
    holding: Counter[str] = Counter()
    for census in censuses:
        for place in census.places:
            cells[place.place] += place.cells
            holding[place.place] += place.holding
    return [Place(name, cells[name], holding[name]) for name in censuses[0].names]


def _sum(censuses: Sequence[Census], places: list[Place], options: Options) -> Census:
    counts = Counts()
    for census in censuses:
        counts.add(census.counts)
    registries = {census.registry for census in censuses}
    return Census(
        places=places,
        options=options,
        started=min(census.started for census in censuses),
        finished=max(census.finished for census in censuses if census.finished is not None),
        # Of several there is none that was in effect for all.
        registry=registries.pop() if len(registries) == 1 else None,
        counts=counts,
    )
