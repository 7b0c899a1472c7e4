from facade.tools import renamed


class Order:
    pass


class Basket:
    pass


@renamed('facade')
class Wrapped:
    pass


class Late:
    __module__ = 'facade'
