"""PyInstaller's hook for extreg: what is in an application that imports it, besides what imports say.

All of our modules, since names are loaded when they are first used; the registries of packs; tomllib besides tomli,
whose compiled wheel does not load in an application; and the registry of the project that is built, which is the one
that every command finds from the working directory: in its package, and where ``extreg.install()`` looks for it.
"""

from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

from extreg.project.import_path import import_root
from extreg.project.locate import registry_path_if_any

hiddenimports = [*collect_submodules("extreg", filter=lambda name: ".integrations" not in name), "tomli_w", "tomllib"]
datas = collect_data_files("extreg", includes=["**/registry.toml", "**/*.json"])

registry = registry_path_if_any(None)
if registry is not None:
    file = registry.absolute()
    package = file.parent.relative_to(import_root(file.parent))
    datas += [(str(file), str(folder)) for folder in {Path(), package}]
