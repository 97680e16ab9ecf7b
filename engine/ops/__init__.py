"""The operators: `ops.softmax(x, axis=-1)` is a node; `ops.softmax` itself is the record of everything about it."""

from engine.graph import Op
from engine.ops.arithmetic import abs, add, div, maximum, minimum, mul, neg, pow, sign, sub
from engine.ops.einsum import einsum
from engine.ops.functions import (
    cos,
    erf,
    exp,
    gelu,
    log,
    relu,
    sigmoid,
    silu,
    sin,
    softplus,
    sqrt,
    tanh,
)
from engine.ops.indexing import index, unindex
from engine.ops.layout import (
    cast,
    concat,
    expand,
    flip,
    part,
    permute,
    reshape,
    split,
    stack,
    stop,
    sum_to,
    swapaxes,
    transpose,
)
from engine.ops.linalg import det, inv, logdet, matmul, matmul_left, matmul_right, solve
from engine.ops.logic import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
    where,
)
from engine.ops.neural import cross_entropy, layer_norm, log_softmax, softmax
from engine.ops.reductions import (
    argmax,
    count,
    cumsum,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    sum,
    var,
)
from engine.ops.selection import diag, gather, one_hot, pick, place, scatter_add, trace, tril, triu
from engine.ops.sources import arange, const, eye, full, normal, ones, uniform, zeros
from engine.ops.sources import size_value as size
from engine.ops.sources import var as variable

TABLE = Op.table
