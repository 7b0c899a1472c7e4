import extreg


def start():
    extreg.install()
