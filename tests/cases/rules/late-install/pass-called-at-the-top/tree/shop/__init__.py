from shop.codes import start

start()
