"""How far a run is, and the learning rate that belongs to it."""
import math
import time


class Progress:
    """Fraction of a run done, by steps or by the wall clock.

    By the clock, the fraction goes on from `done` (of a resumed run) to 1 at the end time, so that pauses and
    restarts shorten the schedule but never cut off its end."""

    def __init__(self, done=0.0, steps=None, minutes=None, until=None, now=time.time):
        if sum(x is not None for x in (steps, minutes, until)) != 1:
            raise ValueError("exactly one of steps, minutes, until")
        self.steps, self.done, self.now, self.began = steps, done, now, now()
        self.end = until if minutes is None else self.began + minutes * 60 * (1 - done)

    def fraction(self, step):
        if self.steps is not None:
            return step / self.steps
        span = max(self.end - self.began, 1e-3)
        return min(1.0, self.done + (1 - self.done) * (self.now() - self.began) / span)


def cosine(fraction, floor):
    """1 at 0, floor at 1."""
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))
