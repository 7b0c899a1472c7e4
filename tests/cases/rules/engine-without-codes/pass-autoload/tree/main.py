import extreg
from shop.tasks import bill

extreg.install()
bill.delay(1)
