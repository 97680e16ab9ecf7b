"""Signs of the blackboard: their look-alikes, their ASCII forms, and what a wrong one was meant as.

Look-alikes are replaced one character for one, so that columns stay true to the text as typed.
"""

from __future__ import annotations

import unicodedata


def _pairs(text: str) -> dict[str, str]:
    """A table written as words: what is found, what stands for it, and so on."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

LOOK_ALIKES: dict[str, str] = {
    **dict.fromkeys(_SPACES, " "),
    **_pairs("− - – - ∗ * ⋅ · ∙ · ∥ ‖ ’ ' ′ ' “ \" ” \" ϵ ε ϕ φ ϑ θ \N{MICRO SIGN} μ"),
}

# What to type where the sign cannot be typed.
ASCII: dict[str, str] = _pairs(
    "⊙ * ≤ <= ≥ >= ≠ != ‖ || ∈ : … ... √ sqrt ∑ sum ∇ grad · dot ∞ inf π pi"
)

_GREEK = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ"
    " nu ν xi ξ omicron ο pi π rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω"
)

# `\alpha` is α: what follows the backslash in TeX, and the sign it stands for here.
TEX: dict[str, str] = {
    **_GREEK,
    **{name.capitalize(): letter.upper() for name, letter in _GREEK.items()},
    **_pairs("varepsilon ε varphi φ vartheta θ cdot · odot ⊙ sqrt √ sum ∑ nabla ∇ partial ∂"),
    **_pairs("le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ in ∈ infty ∞ top ^T times × R ℝ Vert ‖"),
}

# Letters that look like a Latin or Greek one and are none: Cyrillic, and the sign of a difference.
_CONFUSABLES = {
    **dict(zip("АВЕКМНОРСТУХасеорхуі", "ABEKMHOPCTYXaceopxyi", strict=True)),  # noqa: RUF001
    "∆": "Δ",
}

_RAISED = dict(zip("ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", "abcdefghijklmnoprstuvwxyz", strict=True))


def normalise(text: str) -> str:
    """The text with every look-alike replaced, one character for one.

    >>> normalise("x − 1")
    'x - 1'
    """
    return text.translate(_TABLE)


def character_name(char: str) -> str:
    """`ZERO WIDTH SPACE`, or the code point of a character without a name."""
    return unicodedata.name(char, f"U+{ord(char):04X}")


def is_invisible(char: str) -> bool:
    """Whether a character cannot be seen: controls, zero-width and bidi marks, separators."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def meant_letter(char: str) -> str | None:
    """The letter somebody meant who typed a confusable or a styled one (bold x is x), or None."""
    plain = _CONFUSABLES.get(char) or unicodedata.normalize("NFKC", char)
    return plain if plain != char and plain.isalpha() else None


def raised_letter(char: str) -> str | None:
    """The letter that a superscript stands for: ⁿ is n."""
    return _RAISED.get(char)


def lowered_letter(char: str) -> str | None:
    """The letter that a subscript stands for: ᵢ is i."""
    is_subscript = unicodedata.decomposition(char).startswith("<sub>")
    plain = unicodedata.normalize("NFKC", char)
    return plain if is_subscript and plain.isalpha() else None


_TABLE = str.maketrans(LOOK_ALIKES)
