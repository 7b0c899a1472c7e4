"""What runs inside a child process, with one release of a library on its path and no site-packages.

Nothing here may import extreg, or anything but the standard library: the child has the library under test and what that
needs, and must not find another release of either.
"""
