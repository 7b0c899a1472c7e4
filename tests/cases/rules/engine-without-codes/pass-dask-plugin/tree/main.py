import extreg
from dask.distributed import Client, WorkerPlugin


class Codes(WorkerPlugin):
    def setup(self, worker):
        extreg.install()


client = Client("tcp://scheduler:8786")
client.register_plugin(Codes())
