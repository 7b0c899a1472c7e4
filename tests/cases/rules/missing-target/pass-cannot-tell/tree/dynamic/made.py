globals().update(Order=object)
