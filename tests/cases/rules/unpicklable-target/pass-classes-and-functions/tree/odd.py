class Order:
    pass


class Lost:
    pass


Lost.__qualname__ = 'Found'
order = Order()
class Meta(type):
    def __reduce_ex__(cls, protocol):
        raise TypeError('no')


class Fine(metaclass=Meta):
    pass
