import multiprocessing as mp

import extreg

if "__main__" == __name__:
    mp.set_start_method("forkserver")
    with extreg.install():
        child = mp.Process(target=print)
        child.start()
