"""Show what reducers, codes and versions do to real pickles."""

import pickle

import extreg
from extreg.reduce import dumps, register
from extreg.testing import sizes
from palette.colors import Color, reduce_color, reduce_readably
from palette.users import STORED, UserRecord

COLORS = [Color(255, 0, 0), Color(0, 255, 0), Color(0, 0, 255)]
USER = UserRecord("Barbara", "Liskov", "barbara@example.org", COLORS[0])


def show(title: str) -> None:
    """Print how large one color and one user record are."""
    measured = {"one color": sizes(COLORS[0]), "one user": sizes(USER)}
    print(f"{title}:")
    for name, size in measured.items():
        print(f"  {name:<10} {size.by_code[2]:>4} bytes under protocol 2, {size.by_code[5]:>4} under protocol 5")


def main() -> None:
    """Run the whole program."""
    show("by slots and by name")

    with register(Color, reduce_color):
        show("with a reducer")
        extreg.install()  # registry.toml also holds the code of the color's constructor, for that is what is dumped
        show("with a reducer and codes")
        assert pickle.loads(pickle.dumps(COLORS)) == COLORS

        readable = dumps(COLORS[0], reducers={Color: reduce_readably})
        print(f"a private pickler wrote: {'#ff0000' if b'#ff0000' in readable else 'something else'}")
        assert pickle.loads(readable) == COLORS[0]
        assert b"#ff0000" not in pickle.dumps(COLORS[0])

    for version, data in STORED.items():
        print(f"version {version} was loaded as {pickle.loads(data)}")
    print(f"version 3 was loaded as {pickle.loads(pickle.dumps(USER))}")


if __name__ == "__main__":
    main()
