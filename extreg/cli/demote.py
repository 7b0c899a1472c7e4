"""demote: make live codes load-only."""

from extreg.cli.codes import codes_arguments, each, with_everything
from extreg.cli.command import Command
from extreg.registry import life

COMMAND = Command(
    name="demote",
    description="Make live codes load-only: old pickles still load, new ones are dumped by name. The first step of "
    "a retirement.",
    examples="  extreg demote shop.models:Basket",
    configure=codes_arguments,
    run=each(with_everything(life.demote), "load-only"),
)
