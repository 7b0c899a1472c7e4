"""promote: make load-only codes live."""

from extreg.cli.codes import codes_arguments, each, with_everything
from extreg.cli.command import Command
from extreg.registry import life

COMMAND = Command(
    name="promote",
    description="Make load-only codes live: from now on their targets are dumped as codes. Do it once every reader "
    "has been released with the load-only row.",
    examples="  extreg promote 18220\n  extreg promote shop.models:Basket",
    configure=codes_arguments,
    run=each(with_everything(life.promote), "live"),
)
