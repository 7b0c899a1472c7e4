__all__ = ['Order']


class Order:
    pass


class Hidden:
    pass
