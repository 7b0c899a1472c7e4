"""What the files of one top-level package do to each other's modules and objects: sooner yes than no."""

import re
from functools import cached_property

from extreg.targets.fetches import module_makers, module_writers, renaming_functions
from extreg.targets.known_calls import OWN_NAME
from extreg.targets.passing import Text

_ATTRIBUTE = re.compile(r"\b(?!self\.|cls\.)(\w+)\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_TARGETS = re.compile(r"^[ \t]*[(\[]?((?:[\w.]+[ \t]*,[ \t]*)+[\w.]*)[)\]]?([ \t]*)=(?!=)", re.MULTILINE)
_BLOCK = re.compile(r"\b(?:as|for)[ \t]+(\w+)\.(\w+)[ \t]*(?::|,|in\b)")
_SETATTR = re.compile(r"\b(?:setattr|__setattr__)\([^,\n]*,\s*[\"'](\w+)[\"']")
_WORD = re.compile(r"\w+")
_RENAME = re.compile(r"\b(?:setattr|__setattr__)\(\s*(?:\w+\.)*(\w+)\s*,\s*[\"']__(?:module|qualname|name)__[\"']")
_KEYED = re.compile(r"(?:\.__dict__|\bvars\([^()\n]*\))\[[\"'](\w+)[\"']\][ \t]*=(?!=)")
_STORED = re.compile(r"\bmodules\[([^\]\n]*)\](?:\[[^\]\n]*\])*[ \t]*(?::[^=\n]*)?=(?!=)")
_MODULE_CALL = re.compile(
    r"\bmodules\.(?:update|setdefault|__setitem__)\b|\b(?:meta_path|path_hooks)\b|\bextend_path\("
)
_PATH = re.compile(r"\b__path__(?:[ \t]*(?::[^=\n]*)?\+?=(?!=)|\.(?:append|extend|insert)|\[[^\]\n]*\][ \t]*=)")
_CONSTANT = re.compile(r"[ \t]*[\"']([\w.]+)[\"'][ \t]*")


class Package:
    """The texts of the files of one top-level package, and of what it brings along."""

    def __init__(self, texts: "tuple[str, ...]") -> None:
        self._texts = texts
        self._files = [Text(text) for text in texts]
        self._handed: dict[str, bool] = {}

    @cached_property
    def _pairs(self) -> "set[tuple[str, str]]":
        found: set[tuple[str, str]] = set()
        for text in self._texts:
            if "." in text:
                found.update(_ATTRIBUTE.findall(text), _BLOCK.findall(text))
                for targets, space in _TARGETS.findall(text):
                    if not space and "." not in targets.rpartition(",")[2]:
                        continue  # arguments of a call, the last with a keyword
                    pairs = (target.strip().rpartition(".") for target in targets.split(","))
                    found.update((holder.rpartition(".")[2], name) for holder, _, name in pairs if holder)
        return found

    @cached_property
    def renamed(self) -> frozenset[str]:
        """The names of objects whose `__module__` or the like is assigned somewhere."""
        called = (holder for text in self._texts for holder in _RENAME.findall(text))
        return frozenset(holder for holder, name in self._pairs if name in OWN_NAME) | frozenset(called)

    @cached_property
    def given(self) -> frozenset[str]:
        """The names of attributes that are assigned somewhere."""
        keyed = (name for text in self._texts for name in (*_SETATTR.findall(text), *_KEYED.findall(text)))
        return frozenset(name for _, name in self._pairs if name not in OWN_NAME) | frozenset(keyed)

    @cached_property
    def _stored(self) -> "set[str]":
        """The names that ``sys.modules`` gets; one that is computed is empty."""
        keys = (key for text in self._texts if "modules[" in text for key in _STORED.findall(text))
        found = {constant[1] for key in keys if (constant := _CONSTANT.fullmatch(key))}
        if any(_MODULE_CALL.search(text) or _PATH.search(text) for text in self._texts):
            found.add("")
        for makers in map(module_makers, self._texts):
            for maker, given in makers.items():
                found |= self._called_with(maker) if maker and given else {""}
        return found

    def _called_with(self, function: str) -> "set[str]":
        """Return the constants that a function is called with; something else is an empty string."""
        call = re.compile(rf"(?<!def )\b{re.escape(function)}\(\s*(?:[\"']([\w.]+)[\"'])?")
        return {name for text in self._texts if function in text for name in call.findall(text)}

    def makes(self, module: str) -> bool:
        """Whether `module` may be put where no file is: into ``sys.modules``, by a package's path, or a hook."""
        return any(not name or module == name or module.startswith(f"{name}.") for name in self._stored)

    def replaces(self, module: str) -> bool:
        """Whether another object is put into ``sys.modules`` in the place of `module`."""
        return module in self._stored

    def hands_over(self, module: str) -> bool:
        """Whether some file may write names that nobody spells to `module`."""
        if module not in self._handed:
            self._handed[module] = self._writes_anywhere or any(
                text.hands_over(module, writers=self._writers) for text in self._files
            )
        return self._handed[module]

    @cached_property
    def _setting(self) -> "list[str]":
        return [text for text in self._texts if "setattr(" in text or ".__dict__" in text or "vars(" in text]

    def hands_over_class(self, name: str) -> bool:
        """Whether some file sets attributes of a class called `name` that nobody spells."""
        texts = [text for text in self._setting if name in text]
        if not texts:
            return False  # most often, and compiling a pattern takes longer than all the rest
        word = re.escape(name)
        setting = re.compile(
            rf"\bsetattr\(\s*(?:\w+\.)*{word}\s*,\s*(?![\"'])|\b{word}\.__dict__|\bvars\([\w.]*{word}\)"
        )
        return any(setting.search(text) for text in texts)

    @cached_property
    def _writing(self) -> "list[dict[str, bool]]":
        return [module_writers(text) for text in self._texts]

    @cached_property
    def _writers(self) -> bool:
        return any(by_name for writers in self._writing for by_name in writers.values())

    @cached_property
    def _writes_anywhere(self) -> bool:
        """Whether something, when it is imported, writes computed names to modules that are computed too."""
        if any(writers.get("") for writers in self._writing):
            return True
        names = {name for writers in self._writing for name, by_name in writers.items() if by_name}
        if not names:
            return False
        some = "|".join(map(re.escape, sorted(names)))
        call = re.compile(rf"^@?(?:\w+\.)*(?:{some})\b(?!\(\s*__name__)", re.MULTILINE)
        return any(call.search(text) for text in self._texts)

    def renames(self, module: str, name: str) -> bool:
        """Whether a file renames objects that it does not name, and may come upon `name`, or all in its `module`."""
        key = f"{module}:{name}"
        if key not in self._handed:
            files = self._renaming
            self._handed[key] = name in self._given_to_renaming or any(
                file.passes(name) or file.bound_as(module) for file in files
            )
        return self._handed[key]

    @cached_property
    def _given_to_renaming(self) -> "set[str]":
        """The words in the arguments of all calls of functions that rename."""
        names = frozenset[str]().union(*self._renaming.values()) - {"", "__init__"}
        if not names:
            return set()
        call = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\(([^()]*)")
        return {word for text in self._texts for given in call.findall(text) for word in _WORD.findall(given)}

    @cached_property
    def _renaming(self) -> "dict[Text, frozenset[str]]":
        found = {file: renaming_functions(file.text) for file in self._files}
        return {file: names for file, names in found.items() if names}
