class Celery:
    pass
