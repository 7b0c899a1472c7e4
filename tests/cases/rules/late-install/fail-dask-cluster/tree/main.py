import extreg
from dask.distributed import Client, LocalCluster


def main():
    extreg.install()
    with LocalCluster(n_workers=2) as cluster, Client(cluster) as client:
        client.submit(print, 1).result()


if __name__ == "__main__":
    main()
