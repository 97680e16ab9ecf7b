"""Derivatives: graph in, graph out."""

from engine.calculus.jvp import jvp
from engine.calculus.second import hessian, hvp, jacobian, vjp
from engine.calculus.vjp import gradients
from engine.origins import Origin, origin

__all__ = ["Origin", "gradients", "hessian", "hvp", "jacobian", "jvp", "origin", "vjp"]
