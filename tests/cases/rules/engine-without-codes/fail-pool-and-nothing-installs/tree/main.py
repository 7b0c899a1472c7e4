import multiprocessing

from shop.models import Order

def main():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(print, [Order()])


if __name__ == "__main__":
    main()
