import extreg
from shop.tasks import app as celery

extreg.install()
