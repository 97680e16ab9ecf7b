"""Learning: the step as one graph, the loop, checkpoints, generation."""

from engine.learn.checkpoint import load, save
from engine.learn.sampling import Sampled, generate, stream
from engine.learn.step import Optimizer, TrainStep, train_step
from engine.learn.train import Record, Trainer

__all__ = [
    "Optimizer",
    "Record",
    "Sampled",
    "TrainStep",
    "Trainer",
    "generate",
    "load",
    "save",
    "stream",
    "train_step",
]
