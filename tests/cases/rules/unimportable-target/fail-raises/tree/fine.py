print('noise')


class Order:
    pass
