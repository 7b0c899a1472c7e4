print(Order := object)
