"""Pictures of the calculus lab, by matplotlib: each function returns a figure that shows itself.

    field      the gradient over contours: arrows along −∇f
    race       the paths of several minimisers, and how fast each came down; also as a film
    surface    a function of two numbers in three dimensions
    landscape  the loss of a trained model around its weights
    curves     the losses of trainings, step by step

Each takes `ax=`, axes of your own to draw on, and then returns their figure. pyplot is not
imported, nothing of matplotlib's settings is changed, no figure is kept anywhere.

>>> field("f(x, y) = x^2 + 3 y^2", x=(-1, 1), y=(-1, 1))
gradient field of f over x from -1 to 1, y from -1 to 1: arrows along −∇f, |∇f| up to 6.02
"""

from magics.plot.curves import curves
from magics.plot.field import field
from magics.plot.landscape import landscape
from magics.plot.plane import Plane, plane
from magics.plot.race import race
from magics.plot.surface import surface

__all__ = ["Plane", "curves", "field", "landscape", "plane", "race", "surface"]
