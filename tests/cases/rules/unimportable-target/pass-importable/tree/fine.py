import os

os.close(1)


class Order:
    pass
