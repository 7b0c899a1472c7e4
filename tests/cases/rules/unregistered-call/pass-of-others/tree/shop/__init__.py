import copyreg
from shop.certificates import add_extension

BASE = 240
BASE = 250


class Builder:
    def add_extension(self, *arguments):
        return self


def numbered(first):
    copyreg.add_extension("shop", "Computed", first + 1)
    copyreg.add_extension("shop", "Rebound", BASE)
    copyreg.add_extension("shop", "Negative", -1)


Builder().add_extension("subjectAltName", "DNS:shop", 1)
add_extension("subjectAltName", "DNS:shop", 2)
