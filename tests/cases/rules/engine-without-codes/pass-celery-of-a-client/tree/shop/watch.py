import celery


class Watch:
    def __init__(self, app=None):
        self.app = app or celery.Celery()


def report(app=None):
    return (app or celery.Celery()).bugreport()
