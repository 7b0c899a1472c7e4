import multiprocessing

import extreg

context = multiprocessing.get_context("spawn")


class Program:
    def run(self):
        extreg.install()
        with context.Pool(2) as pool:
            pool.map(print, [1])


if __name__ == "__main__":
    Program().run()
