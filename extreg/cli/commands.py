"""Which commands there are, and in which module each is: only the one that runs is imported."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.cli.command import Command


class Entry:
    """One command: its ``name``, the line that ``extreg --help`` has on it, and its module in ``extreg.cli``."""

    __slots__ = ("help", "module", "name")

    def __init__(self, name: str, module: str, line: str) -> None:
        self.name = name
        self.module = module
        self.help = line


COMMANDS = (
    Entry("init", "life", "write a new registry.toml"),
    Entry("add", "life", "give targets their codes"),
    Entry("promote", "life", "make load-only codes live"),
    Entry("demote", "life", "make live codes load-only"),
    Entry("retire", "life", "spend codes for ever"),
    Entry("move", "life", "let a code follow a class that moved"),
    Entry("list", "show", "list all codes"),
    Entry("show", "show", "show one code with its whole story"),
    Entry("lint", "lint", "check the registry"),
    Entry("rule", "lint", "explain the lint rules"),
    Entry("schema", "lint", "print the JSON schema of registry.toml"),
    Entry("compile", "cache", "write the start-up cache ahead of time"),
    Entry("diff", "diff", "what changed, and in which order to deploy it"),
    Entry("merge-driver", "merge", "merge a registry for git"),
    Entry("resolve", "merge", "resolve a file with conflict markers"),
    Entry("git-setup", "merge", "set git up to merge the registry"),
    Entry("scan", "pickles", "what stored pickles refer to"),
    Entry("dis", "pickles", "disassemble stored pickles"),
    Entry("suggest", "pickles", "which globals deserve codes"),
    Entry("rewrite", "pickles", "exchange names and codes in stored pickles"),
    Entry("demo", "demo", "the whole idea in ten seconds, in a temporary folder"),
)


def entry_of(name: str) -> "Entry | None":
    """Return the entry of the command `name`, or None."""
    return next((entry for entry in COMMANDS if entry.name == name), None)


def load(entry: Entry) -> "Command":
    """Import the module of a command, and return the command."""
    from importlib import import_module

    module = import_module(f"extreg.cli.{entry.module}")
    found: Command = next(command for command in module.COMMANDS if command.name == entry.name)
    return found
