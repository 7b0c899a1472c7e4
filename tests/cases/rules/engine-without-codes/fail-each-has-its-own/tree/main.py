import extreg.auto
from dask.distributed import Client
from extreg.workers import dask

client = Client("tcp://scheduler:8786")
dask.register(client)
