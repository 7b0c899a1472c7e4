from _decimal import Decimal


class Order(Decimal):
    pass
