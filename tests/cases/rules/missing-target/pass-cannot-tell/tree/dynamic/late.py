def fill():
    global Order
    Order = object
