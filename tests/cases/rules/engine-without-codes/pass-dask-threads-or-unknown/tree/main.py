import os

import extreg
from dask.distributed import Client, LocalCluster

extreg.install()

threads = Client(processes=False)
also = Client(LocalCluster(processes=False))
unknown = Client(os.environ["SCHEDULER"])
here = Client()
