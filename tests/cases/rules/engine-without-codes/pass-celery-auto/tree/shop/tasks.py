import extreg.auto
from celery import Celery

app = Celery("shop", broker="redis://", backend="redis://")
app.conf.update(accept_content=["pickle"], task_serializer="pickle")


@app.task
def bill(order):
    return order
