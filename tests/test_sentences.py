"""What the grammar derives compiles or is refused in words; what compiles is typeset and runs."""

from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import dsl
from tests import sentences


@settings(max_examples=200, deadline=None, phases=[Phase.generate])  # a seed cannot be made smaller
@given(st.binary(min_size=8, max_size=8))
def test_what_the_grammar_derives_compiles_or_is_refused(seed: bytes) -> None:
    sentences.check(sentences.program(Random(seed)))


def test_the_programs_reach_both_outcomes() -> None:
    found = [sentences.check(sentences.program(Random(seed))) for seed in range(40)]
    assert {type(each) for each in found} == {dsl.Program, dsl.DslError}


def test_every_terminal_of_the_grammar_can_be_written() -> None:
    used = {
        each.name for rules in sentences.rules().values() for r in rules for each in r.expansion
    }
    terminals = {name for name in used if name.isupper() or name in sentences.LAYOUT}
    assert terminals <= {*sentences.spelled(), *sentences.LAYOUT}
