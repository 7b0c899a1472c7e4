"""jar: old pickles kept as tests."""

import argparse

from extreg.cli import jar_add, jar_check, jar_list
from extreg.cli.command import Command, help_alone, subcommands


def _configure(parser: argparse.ArgumentParser) -> None:
    commands = {
        "put pickles into the jar": jar_add.COMMAND,
        "load them with the code of today": jar_check.COMMAND,
        "what is in it, and which live codes are not": jar_list.COMMAND,
    }
    subcommands(parser, commands)


COMMAND = Command(
    name="jar",
    description="Keep old pickles as tests that today's code can still read them. The jar is the folder tests/jar "
    "beside the registry, or what [tool.extreg] jar in pyproject.toml names: for each pickle a record of what its "
    "bytes say and of what it became. jar add and jar check load pickles, in a child process and under the registry, "
    "which is the list of what they may refer to; jar list loads nothing.",
    examples="  extreg jar add order.pickle                     keep one pickle\n"
    "  extreg jar add --from cache/ --each 2           two for each code and target\n"
    "  extreg jar check                                in CI, and before a release\n"
    "  extreg jar check --update                       after a look at what has changed\n"
    "  extreg jar list                                 which live codes have no sample",
    configure=_configure,
    run=help_alone,
)
