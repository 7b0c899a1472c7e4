"""Makes the archives in ``pickles`` anew, with the Pythons of pyenv and real wheels in throw-away environments.

``python make_all.py [LIBRARY...]``: it takes some minutes, and downloads the wheels.  What other versions wrote is a
fact: an archive that is there is made again only to add objects to it, and then holds the date of that day.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PACKS = HERE.parents[1] / "extreg" / "packs"
PYTHONS = Path.home() / ".pyenv" / "versions"

# A Python, as a pattern of pyenv's folders, and what is installed there.
WRITERS = {
    "stdlib": [(f"3.{minor}*", []) for minor in range(6, 16)],
    "numpy": [
        ("3.8*", ["numpy==1.21.6"]),
        ("3.11*", ["numpy==1.25.2"]),
        ("3.12*", ["numpy==1.26.4"]),
        ("3.9*", ["numpy==2.0.2"]),
        ("3.11*", ["numpy==2.4.6"]),
        ("3.14*", ["numpy==2.5.5"]),
    ],
    "pandas": [
        ("3.8*", ["pandas==1.5.3", "numpy==1.21.6"]),
        ("3.12*", ["pandas==2.2.3", "numpy==1.26.4"]),
        ("3.11*", ["pandas==3.1.1", "numpy==2.4.6"]),
    ],
}


def python_like(pattern):
    """Return the newest Python of pyenv's whose folder is like `pattern`."""
    found = [folder / "bin" / "python" for folder in PYTHONS.glob(pattern)]
    code = "import sys; print('%d %d %d' % sys.version_info[:3])"
    said = {
        path: subprocess.run([path, "-c", code], capture_output=True, text=True, check=True).stdout for path in found
    }
    return max(said, key=lambda path: [int(part) for part in said[path].split()])


def write(library, pattern, wheels):
    """Run make.py with the wheels installed."""
    python = python_like(pattern)
    with tempfile.TemporaryDirectory() as folder:
        if wheels:
            subprocess.run([python, "-m", "venv", folder], check=True)
            python = Path(folder) / "bin" / "python"
            subprocess.run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", *wheels], check=True)
        registry = PACKS / library / "registry.toml"
        subprocess.run([python, HERE / "make.py", library, registry, HERE / "pickles"], check=True)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or WRITERS:
        for row in WRITERS[chosen]:
            write(chosen, *row)
