"""Start-up: what ``import extreg; extreg.install()`` runs, and nothing else.

The modules here import copyreg, os, sys, marshal and each other at their top, no more: every program that installs
a registry pays for them on every start.  What is needed only when something is cold or wrong stands behind the one
door in `extreg.startup.cold`.
"""

__version__ = "0.1.0"
