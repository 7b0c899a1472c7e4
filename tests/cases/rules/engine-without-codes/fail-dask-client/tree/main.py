import os

import extreg
from dask.distributed import Client

extreg.install()

client = Client("tcp://scheduler:8786")
other = Client(os.environ["SCHEDULER"])
