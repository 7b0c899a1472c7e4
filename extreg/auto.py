"""``import extreg.auto`` installs: the one name to hand to everything that takes the name of a module.

The registry is that of ``$EXTREG_REGISTRY``, else the nearest upward from the working directory: what
``[tool.extreg] registry`` in a pyproject.toml names, or a registry.toml.  One that was found, and not named, must
belong to the user or to root.  Raises as `extreg.install` does, so that a worker without its codes does not start.

Every global here has an underscore in front: gunicorn takes all others of a configuration module for its settings.
"""

from extreg import install as _install
from extreg.startup import find as _find

# Not by what imports this module, which is an engine's code in site-packages.
_installation = _install(_find(None, {}))
