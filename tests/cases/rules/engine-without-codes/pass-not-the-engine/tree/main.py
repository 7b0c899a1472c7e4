import multiprocessing

multiprocessing.Pool(2, print)
