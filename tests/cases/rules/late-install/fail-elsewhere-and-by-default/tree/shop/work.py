from concurrent import futures


def process(count):
    with futures.ProcessPoolExecutor() as pool:
        return list(pool.map(str, range(count)))
