"""Spark: the module for ``spark.python.daemon.module``, which installs before it starts workers.

They are forked from it, so it installs once for all.  Which registry that is ``extreg.auto`` says: on executors name
it, by ``spark.executorEnv.EXTREG_REGISTRY``.
"""

import extreg.auto  # noqa: F401 - which installs

if __name__ == "__main__":
    from pyspark.daemon import manager

    manager()
