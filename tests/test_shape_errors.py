"""What is refused while a program is lowered: the words, the place, and the way out."""

import pytest

import dsl


def error(text: str) -> dsl.DslError:
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile(text)
    return caught.value


def test_a_product_that_does_not_fit_is_told_as_in_the_reference() -> None:
    text = "dim d = 64\ninput Q, K : [B, T, d]\ns = softmax(Q @ K / √d)"
    assert str(error(text)) == (
        "error: cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T\n"
        "    left : Q                        [B, T, d]\n"
        "    right: K                        [B, T, d]\n"
        "  cell:3:13\n"
        "    3 | s = softmax(Q @ K / √d)\n"
        "      |             ^^^^^\n"
        "  help: the last axes agree: did you mean `Q @ K^T`?"
    )


def test_a_sum_that_does_not_fit_names_the_axis_and_where_it_would_have_to_be() -> None:
    found = error("input X : [B, T, d]\ninput b : [T]\ny = X + b")
    assert found.message == (
        "cannot add shapes [B, T, d] and [T]: axis -1 is d on the left and T on the right"
    )
    assert found.hint == (
        "the T axis of the right side would have to sit one place further left: "
        "index it with `[:, None]`"
    )


def test_a_size_that_no_one_declared_is_told_with_those_that_are_known() -> None:
    found = error("dim d, B\nparam W : [dd, d]")
    assert found.message == "the size `dd` of this parameter is not known here"
    assert found.hint == "known sizes: d, B; did you mean `d`?"
    assert found.span.text == "dd"


def test_two_columns_side_by_side_offer_the_three_products() -> None:
    found = error("input x, y : [n]\nz = x y")
    assert found.message == "`x y`: both are column vectors ([n] and [n])"
    assert found.hint == "dot product `x^T y`, outer product `x y^T`, elementwise `x ⊙ y`"


# A program, its message, its hint ("…" stands for anything), the text it points at.
WRONG = {
    "a name that nothing is called": (
        "input X : [n]\ny = sofmax(X)",
        ("`sofmax` is not defined", "did you mean `softmax`?", "sofmax"),
    ),
    "two names run together": (
        "input X : [B, d]\nparam W_q : [d, d]\nQ = XW_q",
        ("`XW_q` is not defined", "did you mean `X W_q`?", "XW_q"),
    ),
    "three names run together": (
        "input X, Y : [d, d]\ny = XYX",
        ("`XYX` is not defined", "did you mean `X Y X`?", "XYX"),
    ),
    "a function of the prelude misspelled": (
        "input X : [B, T, d]\ny = atention(X)",
        ("`atention` is not defined", "did you mean `attention`?", "atention"),
    ),
    "the gradient of a tensor": (
        "input x : [n]\ng = ∇_x x^2",
        ("a gradient is of a number, and `x^2` is [n]", "sum it, `sum(x^2)`, …", "∇_x x^2"),
    ),
    "the gradient by something that is not there": (
        "input x, z : [n]\nloss = sum(x)\ng = ∂loss/∂z",
        ("`loss` does not depend on `z`", "it depends on `x`", "∂loss/∂z"),
    ),
    "the gradient by a constant": (
        "x = 2.0\ny = x^2\ng = grad(y, x)",
        ("`x` is a constant, which does not vary", "declare `input x : []`, …", "grad(y, x)"),
    ),
    "the gradient by whole numbers": (
        "input i : int[n]\ng = grad(sum(i), i)",
        ("there is no gradient of int[]: only floats vary continuously", "", "grad(sum(i), i)"),
    ),
    "∇ without a name": (
        "input x : []\ng = ∇(x^2)",
        (
            "`∇(x^2)` does not say with respect to what",
            "write `∇_x (x^2)`, or `grad(x^2, x)`",
            "∇(x^2)",
        ),
    ),
    "a power -1 of a vector": (
        "input x : [n]\ny = x^-1",
        (
            "`x^-1`: [n] is neither a number nor a square matrix",
            "elementwise `1/x`, the inverse of a matrix `inv(x)`",
            "x^-1",
        ),
    ),
    "a function applied without brackets": (
        "input x : []\ny = sin x",
        ("`sin` is a function: its argument stands in brackets", "write `sin(x)`", "sin x"),
    ),
    "a function as a value": (
        "input x : []\ny = x + sin",
        ("`sin` is a function, not a value", "call it: `sin(…)`", "sin"),
    ),
    "a value called": (
        "input x : []\ny = x(1, 2)",
        ("`x` is not a function", "a product is written `x * (…)`, an index `x[…]`", "x(1, 2)"),
    ),
    "too many arguments": (
        "f(x) = x\ny = f(1, 2)",
        ("`f` takes 1 argument at most", "`f(x)` is how it is called", "2"),
    ),
    "an argument missing": (
        "f(x, y) = x y\nz = f(1)",
        ("`f` needs `y`", "`f(x, y)` is how it is called", "f(1)"),
    ),
    "an unknown keyword": (
        "input X : [n]\ny = softmax(X, axes=0)",
        ("`softmax` has no parameter `axes`", "did you mean `axis`?", "axes"),
    ),
    "an axis that is not there": (
        "input X : [B, T]\ny = sum(X, axis=2)",
        ("axis 2 does not exist in [B, T]", "its axes are -2 to 1", "sum(X, axis=2)"),
    ),
    "an axis by a size that occurs twice": (
        "input X : [T, T]\ny = sum(X, axis=T)",
        (
            "`T` occurs 2 times in [T, T], the shape of `X`",
            "count the axis: `axis=-1` is the last",
            "T",
        ),
    ),
    "a size that does not come out even": (
        "dim d = 64, H = 5\ninput X : [B, d]\nY = reshape(X, [B, H, d/H])",
        ("the size `d/H` is not a whole number: H = 5 does not divide d = 64", "", "d/H"),
    ),
    "a reshape that loses elements": (
        "input X : [B, T, d]\nY = reshape(X, [B, d])",
        ("cannot reshape [B, T, d] to [B, d]: B*T*d elements into B*d", "", "reshape(X, [B, d])"),
    ),
    "an annotation that is not so": (
        "input X : [B, T]\ny : [T, B] = 2 X",
        ("`y` is declared [T, B], but it is [B, T]: axis -1 should be B and is T", "", ": [T, B]"),
    ),
    "a constraint of a function's own file": (
        "dim d = 64\nf(x : [n, d]) = x\ninput X : [4, 32]\ny = f(X)",
        (
            "`x` of `f` is declared [n, d], but it is [4, 32]: axis -1 should be d = 64 and is 32",
            "",
            "X",
        ),
    ),
    "a name bound twice in one call": (
        "f(x : [n, n]) = x\ninput X : [3, 4]\ny = f(X)",
        ("`x` of `f` is declared [n, n], but it is [3, 4]: axis -1 should be 3 and is 4", "", "X"),
    ),
    "recursion": (
        "f(x) = f(x) + 1\ny = f(2)",
        ("`f` calls itself", "a loop is written `repeat n:` or `for i in range(n):`", "f(x)"),
    ),
    "a loop of unknown length": (
        "dim n\ninput x : [n]\nrepeat n:\n    x = 2 x",
        (
            "how often to repeat is not known before the program runs: `n` has no value",
            "give `n` a value, as in `dim n = 4`",
            "n",
        ),
    ),
    "a row and a column": (
        "input x, y : [n]\nz = x^T + y",
        (
            "`x^T` is a row and `y` a column",
            "take `x` as a column too, or `y^T` as a row",
            "x^T + y",
        ),
    ),
    "a matrix times a row": (
        "input A : [n, n]\ninput x : [n]\ny = A x^T",
        (
            "`x^T` is a row, and a matrix multiplies a column from the left",
            "write `A x`",
            "A x^T",
        ),
    ),
    "a parameter twice": (
        "param W : [2]\nparam W : [2]",
        ("there is a parameter `W` already", "…", "W"),
    ),
    "a parameter with the name of an input": (
        "input W : [2]\nparam W : [2]",
        ("there is an input `W` already", "…", "W"),
    ),
    "an input with the name of a parameter": (
        "param W : [2]\ninput W : [2]",
        ("`W` is a parameter already", "give one of them another name", "W"),
    ),
    "an input twice": (
        "input x : [2]\ninput x : [3]",
        ("`x` is an input [2] already", "give one of them another name", "x"),
    ),
    "a parameter of an open rank": (
        "param W : [..., 2]",
        ("`...` leaves open how many axes this parameter has", "…", "..."),
    ),
    "a const without a value": (
        "const A : [n, n]\ny = A",
        ("the const `A` has no value", 'give it when compiling: `consts={"A": …}`', "A : [n, n]"),
    ),
    "a module that does not exist": (
        "from transfomer import block",
        (
            "there is no module `transfomer`",
            "did you mean `transformer`?",
            "transfomer",
        ),
    ),
    "a name that a module lacks": (
        "from transformer import blok",
        ("`transformer` has no `blok`", "did you mean `block`?", "blok"),
    ),
    "an index by floats": (
        "input x, i : [n]\ny = x[i]",
        ("`i` is [n], and an index is a whole number", "count from 0; `-1` is the last", "i"),
    ),
    "an index outside": (
        "input x : [3]\ny = x[3]",
        ("index 3 is outside axis 0 of [3]", "", "x[3]"),
    ),
    "a slice backwards": (
        "input x : [3]\ny = x[::-1]",
        ("the step of a slice is at least 1", "`flip(x, axis=…)` reverses an axis", "::-1"),
    ),
    "a pattern that loses an axis": (
        'input X : [B, T, d]\ny = rearrange(X, "b t d -> b d")',
        ("both sides name the same axes, each once: here `b t d` and `b d`", "", "…"),
    ),
    "a pattern with two open sizes": (
        'input X : [B, d]\ny = rearrange(X, "b (h k) -> b h k")',
        ("give all sizes but one of (h k), as in `h=…`", "", "…"),
    ),
    "a pattern whose sizes do not come out even": (
        'dim d = 8\ninput X : [B, d]\ny = rearrange(X, "b (h k) -> b h k", h=3)',
        ("`k` comes out as d/3 = 8/3", "", "…"),
    ),
    "what a reduction took away": (
        "input X : [B, T, d]\ny = X - mean(X, axis=-1)",
        (
            "cannot subtract shapes [B, T, d] and [B, T]: "
            "axis -2 is T on the left and B on the right",
            "the right side has the first axes of the other: index it with `[..., None]`",
            "X - mean(X, axis=-1)",
        ),
    ),
    "a norm of a matrix that is no sum of squares": (
        "input A : [n, n]\ny = ‖A‖₂²",
        (
            "the norm of order 2 is of a vector, not of [n, n]",
            "`‖A‖_F` is the root of the sum of its squares",
            "‖A‖₂",
        ),
    ),
    "the gradient of a function that is no number": (
        "f(x) = 2 x\ninput z : [n]\ny = ∇f(z)",
        (
            "a gradient is of a number, and `f(z)` is [n]",
            "sum it, `grad(sum(f(z)), z)`, or mean it",
            "∇f(z)",
        ),
    ),
    "the Hessian of a function that is no number": (
        "f(x) = 2 x\ninput z : [3]\ny = hessian(f, z)",
        (
            "a gradient is of a number, and `f(z)` is [3]",
            "sum it, `hessian(sum(f(z)), z)`, or mean it; …",
            "hessian(f, z)",
        ),
    ),
    "max of two readings": (
        "input x : [3]\ny = max(x, 0)",
        (
            "`max` of a tensor and 0 can be read two ways",
            "write `maximum(x, 0)` or `max(x, axis=0)`",
            "max(x, 0)",
        ),
    ),
    "names to take apart": (
        "a, b = [1, 2, 3]",
        ("2 names and a list of 3 to take apart", "", "a, b = [1, 2, 3]"),
    ),
    "the derivative of what mixes elements": (
        "f(x) = softmax(x)\ninput z : [n]\ny = f'(z)",
        ("`f'` is the derivative of a function of one number", "`f` mixes elements; …", "f'(z)"),
    ),
    "a Hessian of named sizes": (
        "input X : [n, m]\nH = hessian(sum(X^2), X)",
        ("a Jacobian needs sizes known as numbers, not [n, m]", "give the sizes values, …", "…"),
    ),
    "a product with two readings": (
        "a = 2.0\nb = 3.0\nc = 1 / a (b)",
        ("`1 / a (b)` can be read two ways", "write `1 / (a (b))` or `(1 / a) (b)`", "1 / a (b)"),
    ),
    "an input in a function": (
        "f(x) =\n    input y : [n]\n    x + y\nz = f(1)",
        ("`input` stands at the top level", "…", "input y : [n]"),
    ),
}


def fits(pattern: str, text: str) -> bool:
    start, dots, end = pattern.partition("…")
    return text.startswith(start) and text.endswith(end) if dots else text == pattern


@pytest.mark.parametrize("what", WRONG)
def test_each_wrong_program_is_told_in_its_own_words(what: str) -> None:
    text, (message, hint, place) = WRONG[what]
    found = error(text)
    assert found.message == message
    assert fits(hint, found.hint), found.hint
    assert fits(place, found.span.text), found.span.text
    assert len(found.diagnostics) == 1


def test_the_chain_of_calls_leads_to_the_cell() -> None:
    found = error(
        "g(x : [n]) = x + ones([4])\nf(x) =\n    y = 2 x\n    g(y)\ninput z : [T]\nw = f(z)"
    )
    (diagnostic,) = found.diagnostics
    assert [call.words.split(",")[0] for call in diagnostic.calls] == ["in `g`", "in `f`"]
    assert [call.span.text for call in diagnostic.calls] == ["g(y)", "f(z)"]
    assert diagnostic.message == (
        "cannot add shapes [T] and [4]: axis -1 is T on the left and 4 on the right"
    )
    assert "in `f`, called at cell:6:5" in str(found)


def test_the_chain_tells_the_pass_of_a_loop_unless_it_is_the_first() -> None:
    loop = "input x : [4]\nfor i in range(3):\n    {}\ny = x"
    (found,) = error(loop.format("x = x + ones([4 + i])")).diagnostics
    assert [call.words for call in found.calls] == [
        "in pass 1, counted from 0, of the loop at cell:2:1"
    ]
    assert [call.span.text for call in found.calls] == ["for i in range(3)"]
    (found,) = error(loop.format("x = x + ones([5])")).diagnostics
    assert found.calls == ()
    (found,) = error("f(k) = 1 / (1 + k) + ones([2])[k]\ny = [f(k) for k in range(3)]").diagnostics
    assert [call.span.text for call in found.calls] == ["f(k)", "[f(k) for k in range(3)]"]


def test_messages_inside_a_function_speak_of_the_callers_sizes() -> None:
    found = error("from attention import attention\ninput X : [Batch, Time]\ny = attention(X)")
    assert found.message == "`X` of `attention` is declared [B, T, d], but it is [Batch, Time]"
    assert found.span.source.name == "cell"


def test_a_gradient_that_is_cut_says_where() -> None:
    found = error("input x : [n]\ny = 2 x\nloss = sum(stop(y)^2)\ng = ∇_x loss")
    assert found.message == "the gradient of `loss` with respect to `x` is zero"
    assert found.diagnostics[0].notes == ("`stop(y)` at cell:3:12 lets nothing through",)


def test_independent_errors_come_together_and_dependent_ones_not_at_all() -> None:
    found = error("input x : [n]\na = x + ones([3])\nb = 2 a\nc = b + a\nd = undefined\ne = d a")
    assert [each.span.text for each in found.diagnostics] == ["x + ones([3])", "undefined"]


def test_at_most_five_errors_are_told() -> None:
    found = error("\n".join(f"y{i} = nothing{i} + 1" for i in range(9)))
    assert len(found.diagnostics) == 5


def test_one_fault_of_a_function_is_told_once() -> None:
    found = error("f(x) = x + missing\ny = f(1)\nz = f(2)")
    assert [each.message for each in found.diagnostics] == ["`missing` is not defined"]
