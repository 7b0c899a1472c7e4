from celery import Celery

app = Celery("shop", broker="redis://", backend="redis://")  # extreg: ignore[engine-without-codes] the worker has -I
app.conf.update(accept_content=["pickle"], task_serializer="pickle")


@app.task
def bill(order):
    return order
