import extreg

from shop.tasks import app

if __name__ == "__main__":
    extreg.install()
    app.worker_main()
