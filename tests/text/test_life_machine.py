"""Any sequence of edits keeps what a registry promises: a state machine over the text."""

import re

import pytest

from extreg.errors import ExtregError
from extreg.registry import life
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.other_names import alias, move_module
from extreg.registry.toml.edit import edit

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
HealthCheck = hypothesis.HealthCheck
settings = hypothesis.settings
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")
stateful = pytest.importorskip("hypothesis.stateful", reason="pip install hypothesis")
Bundle = stateful.Bundle
RuleBasedStateMachine = stateful.RuleBasedStateMachine
initialize = stateful.initialize
invariant = stateful.invariant
rule = stateful.rule

START = (
    "format = 1\n\n[codes]\n",
    "format = 1",
    "# nothing\r\nformat = 1\r\n\r\n[retired] # spent\r\n[codes]\r\n",
    "format = 1\ncodes.300 = 'a:A' # dotted\nretired.301 = 'a:B'\n",
    'format = 1\n[ranges.default]\nfirst = 300\nlast = 320\n[moved]\n[load-only]\n\t305 = "b:C" # tab\n[codes]',
    'format = 1\n[codes]\n# below\n310 = "a:C"\n# between\n303 = "a:D"\n\n# above the end\n',
)
TARGETS = st.builds("{}:{}".format, st.sampled_from(["a", "b", "c.d"]), st.sampled_from(["A", "B", "C", "D.E"]))
MODULES = st.sampled_from(["a", "b", "c.d", "c"])
COMMENT = re.compile(r"#[^\r\n]*")


class Life(RuleBasedStateMachine):
    """Every step of a code's life, and other names, in any order; what each row once meant is remembered here."""

    codes = Bundle("codes")

    @initialize(text=st.sampled_from(START))
    def begin(self, text: str) -> None:
        self.text = text
        self.first = text
        self.past: dict[int, list[str]] = {}
        self.retired: dict[int, str] = {}
        self.refusals: list[ExtregError] = []
        self.remember()

    @property
    def registry(self) -> Registry:
        return Registry.parse(self.text)

    def remember(self) -> None:
        registry = self.registry
        for table in registry.tables.values():
            for code, target in table.items():
                story = self.past.setdefault(code, [])
                if story[-1:] != [target]:
                    story.append(target)
        self.retired.update(registry.retired)

    def apply(self, new: Registry) -> None:
        self.text = edit(Document.read(self.text), new)
        assert self.registry == new
        self.remember()

    def try_to(self, change: "object", *arguments: object, **options: object) -> None:
        """Apply an edit; one that is refused is refused with a reason, and that is all."""
        try:
            new = change(self.registry, *arguments, **options)  # type: ignore[operator]
        except ExtregError as refusal:
            self.refusals.append(refusal)
        else:
            self.apply(new)

    @rule(target=codes, name=TARGETS, load_only=st.booleans(), range_name=st.sampled_from([None, "hot", "default"]))
    def add(self, name: str, load_only: bool, range_name: str | None) -> int:
        spent = self.registry.spent
        try:
            new, code = life.add(self.registry, name, load_only=load_only, range_name=range_name)
        except ExtregError as refusal:
            self.refusals.append(refusal)
            return 0
        assert code not in spent or name in (self.registry.target(code), *self.registry.aliases.get(code, ()))
        self.apply(new)
        return code

    @rule(code=codes)
    def promote(self, code: int) -> None:
        self.try_to(life.promote, code)

    @rule(code=codes)
    def demote(self, code: int) -> None:
        self.try_to(life.demote, code)

    @rule(code=codes, now=st.booleans())
    def retire(self, code: int, now: bool) -> None:
        self.try_to(life.retire, code, now=now)

    @rule(code=codes, name=TARGETS)
    def move(self, code: int, name: str) -> None:
        self.try_to(life.move, code, name)

    @rule(code=codes, name=TARGETS)
    def alias(self, code: int, name: str) -> None:
        self.try_to(alias, code, [name])

    @rule(old=MODULES, new=MODULES)
    def move_module(self, old: str, new: str) -> None:
        self.try_to(move_module, old, new)

    @invariant()
    def every_refusal_says_what_to_do(self) -> None:
        assert all(refusal.message and refusal.hint for refusal in self.refusals)

    @invariant()
    def every_code_stands_in_one_table(self) -> None:
        tables = self.registry.tables
        assert sum(map(len, tables.values())) == len(self.registry.spent)

    @invariant()
    def a_target_has_one_live_code(self) -> None:
        live = list(self.registry.codes.values())
        assert len(live) == len(set(live))

    @invariant()
    def nothing_is_deleted(self) -> None:
        assert set(self.past) == self.registry.spent

    @invariant()
    def a_retired_code_stays_so(self) -> None:
        assert self.retired == self.registry.retired

    @invariant()
    def moves_are_on_record(self) -> None:
        """Every target that a code ever had is its present or a former one."""
        registry = self.registry
        for code, story in self.past.items():
            now = registry.target(code) or registry.retired[code]
            assert story[-1] == now
            assert set(story) <= {now, *registry.moved.get(code, ())}

    @invariant()
    def what_a_code_means_is_a_name_of_today(self) -> None:
        registry = self.registry
        for code in registry.spent - set(registry.retired):
            target = registry.target(code)
            assert registry.current(target) == target
            for name in registry.aliases.get(code, ()):
                assert registry.current(name) == target
                assert registry.code(name) == (code if registry.state(code) == "live" else None)

    @invariant()
    def the_text_is_as_it_was(self) -> None:
        """Comments and line ends stay, and so does a missing last one, as far as the last line does."""
        assert sorted(COMMENT.findall(self.text)) == sorted(COMMENT.findall(self.first))
        if "\r\n" in self.first:
            assert self.text.count("\r\n") == self.text.count("\n")
        else:
            assert "\r" not in self.text


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


@pytest.mark.soak
def test_long_lives() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    many = settings(max_examples=3000, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Life, settings=many)
