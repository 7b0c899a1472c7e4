"""Which commands there are, and in which module each is: only the one that runs is imported."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.cli.command import Command


class Entry:
    """One command: its ``name``, the line that ``extreg --help`` has on it, and its ``module`` in ``extreg.cli``.

    That is called as the command is, with underscores, and has the `Command` as ``COMMAND``.
    """

    __slots__ = ("help", "module", "name")

    def __init__(self, name: str, line: str) -> None:
        self.name = name
        self.module = f"extreg.cli.{name.replace('-', '_')}"
        self.help = line


COMMANDS = (
    Entry("init", "write a new registry.toml"),
    Entry("add", "give targets their codes"),
    Entry("promote", "make load-only codes live"),
    Entry("demote", "make live codes load-only"),
    Entry("retire", "spend codes for ever"),
    Entry("move", "let a code follow a class that moved"),
    Entry("alias", "record the other names of what a code means"),
    Entry("list", "list all codes"),
    Entry("show", "show one code with its whole story"),
    Entry("lint", "check the registry"),
    Entry("rule", "explain the lint rules"),
    Entry("schema", "print the JSON schema of registry.toml"),
    Entry("compile", "write the start-up cache ahead of time"),
    Entry("diff", "what changed, and in which order to deploy it"),
    Entry("merge-driver", "merge a registry for git"),
    Entry("resolve", "resolve a file with conflict markers"),
    Entry("git-setup", "set git up to merge the registry"),
    Entry("scan", "what stored pickles refer to"),
    Entry("census", "add up what was scanned in parts"),
    Entry("dis", "disassemble stored pickles"),
    Entry("suggest", "which globals deserve codes"),
    Entry("rewrite", "exchange names and codes in stored pickles"),
    Entry("jar", "old pickles kept as tests"),
    Entry("completion", "what a shell needs to complete the commands"),
    Entry("doctor", "does every process have the codes"),
    Entry("run", "one command, with codes in every Python that it starts"),
    Entry("autoload", "codes at every start of an environment"),
    Entry("demo", "the whole idea in ten seconds, in a temporary folder"),
)


def entry_of(name: str) -> "Entry | None":
    """Return the entry of the command `name`, or None."""
    return next((entry for entry in COMMANDS if entry.name == name), None)


def load(entry: Entry) -> "Command":
    """Import the module of a command, and return the command."""
    from importlib import import_module

    found: Command = import_module(entry.module).COMMAND
    return found
