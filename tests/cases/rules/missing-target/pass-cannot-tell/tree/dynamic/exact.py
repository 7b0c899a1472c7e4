import sys

if sys.version_info >= (3, 99):
    class Order:
        pass
