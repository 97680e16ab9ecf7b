"""Derivatives: graph in, graph out."""

from engine.calculus.check import check_gradients
from engine.calculus.jvp import jvp
from engine.calculus.report import Element, GradientReport
from engine.calculus.second import Mode, hessian, hvp, jacobian, vjp
from engine.calculus.vjp import gradients
from engine.origins import Origin, origin

__all__ = [
    "Element",
    "GradientReport",
    "Mode",
    "Origin",
    "check_gradients",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "origin",
    "vjp",
]
