"""`chalkgrad demo`: a transformer written in the language learns a text and writes on."""

from magics.demo.main import run

__all__ = ["run"]
