import multiprocessing

import extreg
from shop.models import Order


def main():
    extreg.install()
    multiprocessing.set_start_method("fork")
    with multiprocessing.Pool(2) as pool:
        pool.map(print, [Order()])


if __name__ == "__main__":
    main()
