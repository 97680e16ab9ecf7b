"""`magics/README.md` lists every verb and front end with tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from magics.verbs import VERBS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "magics" / "README.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ")]
TESTED = [row for row in ROWS if "`test_" in row[2]]


def test_every_verb_has_a_row() -> None:
    listed = {word for row in TESTED for word in re.findall(r"^`(\w+)`$", row[0].strip())}
    assert listed - {"chalkgrad"} == VERBS.keys()


def test_the_tests_of_every_row_exist_and_speak_of_it() -> None:
    assert len(TESTED) == len(VERBS) + 1 + 8
    for what, _, tests in TESTED:
        named = re.findall(r"`(test_\w+\.py)`", tests)
        assert named, what
        texts = [(ROOT / "tests" / name).read_text(encoding="utf-8") for name in named]
        verb = re.fullmatch(r"`(\w+)`", what.strip())
        if verb and verb[1] in VERBS:
            assert any(re.search(rf"\b{verb[1]}\b", text) for text in texts), what
