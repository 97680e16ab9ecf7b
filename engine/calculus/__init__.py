"""Derivatives: graph in, graph out."""

from engine.calculus.jvp import jvp
from engine.origins import Origin, origin
from engine.calculus.second import hessian, hvp, jacobian, vjp
from engine.calculus.vjp import gradients

__all__ = ["Origin", "gradients", "hessian", "hvp", "jacobian", "jvp", "origin", "vjp"]
