import copyreg


class Order:
    pass


class Basket:
    pass


copyreg.add_extension('shop', 'Order', 300)
for number, name in ((301, 'Basket'),):
    copyreg.add_extension('shop', name, number)
copyreg.add_extension('shop', 'Till', 302)  # extreg: ignore[unregistered-call] a test needs it
