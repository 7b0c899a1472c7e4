import multiprocessing

import extreg.workers


def main():
    extreg.install()
    with multiprocessing.get_context("spawn").Pool(2, initializer=extreg.workers.initializer()) as pool:
        pool.map(print, [1])


if __name__ == "__main__":
    main()
