import extreg
from celery.signals import worker_init


@worker_init.connect
def start(**_):
    extreg.install()
