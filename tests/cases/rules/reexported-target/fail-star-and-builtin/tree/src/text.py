string = str
