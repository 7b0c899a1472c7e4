from ._core import Order, Basket, Wrapped
from ._core import Late

Order.__module__ = 'facade'
for one in (Basket,):
    one.__module__ = __name__
