import click
import extreg

from .work import process


@click.command()
@click.option("--count", default=1)
def main(count):
    start()
    process(count)


def start():
    extreg.install("shop")
