"""Writes pickles of a library's objects, as this Python and this version of the library write them, into one archive.

``python make.py LIBRARY REGISTRY FOLDER``: LIBRARY is stdlib, numpy or pandas, REGISTRY the registry.toml of its pack,
FOLDER where the archive goes.  Each object is dumped with every protocol, by name and by the codes of the pack, which
are put into copyreg as `extreg.install` does it.  The members are called OBJECT.pPROTOCOL.name and .code, and
provenance.json says who wrote them.

It runs on its own under Python 3.6 and later, without extreg; `make_all.py` runs it under many.
"""

import copyreg
import datetime
import gzip
import importlib
import io
import json
import os
import pickle
import platform
import re
import sys
import tarfile
import warnings

ROW = re.compile(r'^(\d+) = "([^":]+):([^"]+)"')
ALIASES = re.compile(r"^(\d+) = \[(.*)\]")


def rows(path):
    """Return the keys and codes of ``[codes]``, and those of ``[aliases]``, in a registry file with a row to a line."""
    codes, aliases, table = {}, {}, ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("["):
                table = line.strip()
            if table == "[codes]" and ROW.match(line):
                code, module, name = ROW.match(line).groups()
                codes[module, name] = int(code)
            elif table == "[aliases]" and ALIASES.match(line):
                code, names = ALIASES.match(line).groups()
                for target in re.findall('"([^"]+)"', names):
                    aliases[tuple(target.split(":"))] = int(code)
    return codes, aliases


def made(things):
    """Return the objects that this version of the library can make, by name."""
    found = {}
    for name, make in things.items():
        try:
            found[name] = make()
        except Exception as error:
            print(f"{name} is not made here: {error!r}")
    return found


def pickles(objects, registry):
    """Yield the name of each member and its bytes; what is the same by code as by name comes once."""
    written = {}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for name, thing in objects.items():
            written[name, protocol] = pickle.dumps(thing, protocol)
            yield f"{name}.p{protocol}.name", written[name, protocol]
    codes, aliases = rows(registry)
    copyreg._extension_registry.update(codes)
    copyreg._extension_registry.update(aliases)
    copyreg._inverted_registry.update((code, key) for key, code in codes.items())
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        for name, thing in objects.items():
            data = pickle.dumps(thing, protocol)
            if data != written[name, protocol]:
                yield f"{name}.p{protocol}.code", data


def provenance(library, version):
    """Return who writes the pickles here, when, and by which command."""
    python = platform.python_version()
    found = {
        "library": library,
        "version": version,
        "python": python,
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "date": datetime.date.today().isoformat(),
        "command": f"python make.py {library} ../../extreg/packs/{library}/registry.toml pickles",
    }
    found.update((name, sys.modules[name].__version__) for name in ("numpy", "pandas") if name in sys.modules)
    return found


def main(library, registry, folder):
    """Write the archive; return its path."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    things = importlib.import_module("things_" + library)
    warnings.simplefilter("ignore")  # numpy and pandas deprecate some of what they write
    record = provenance(library, things.version())
    name = "{library}-{version}" if library == "stdlib" else "{library}-{version}-on-{python}"
    path = os.path.join(folder, name.format(**record) + ".tar.gz")
    members = [("provenance.json", json.dumps(record, indent=1).encode()), *pickles(made(things.THINGS), registry)]
    with gzip.GzipFile(path, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for member, data in members:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    print(f"{path}: {len(members) - 1} pickles")
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
