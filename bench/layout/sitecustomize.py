"""Found by Python when it starts, where overhead.py has put this folder on its path: a memory layout drawn by lot.

Where a process's objects happen to lie moves its times by some per cent, the same in every run of the same program:
Mytkowicz et al. 2009, Producing Wrong Data Without Doing Anything Obviously Wrong. What is drawn anew in every round
is noise, and no longer a bias (Curtsinger & Berger 2013, STABILIZER).
"""

import os
import random

_drawn = random.Random(int(os.environ["BENCH_LAYOUT"]))
_kept = [bytearray(_drawn.randrange(16, 2048)) for _ in range(_drawn.randrange(20000))]
_drawn.shuffle(_kept)
del _kept[::2]  # holes, for what comes after
