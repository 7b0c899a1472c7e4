from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from extreg import install

if __name__ == "__main__":
    install()
    spawn = get_context("spawn")
    with ProcessPoolExecutor(4, spawn) as pool:
        list(pool.map(print, range(4)))
