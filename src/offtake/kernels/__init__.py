"""The arithmetic of the model, one stage a file: month functions of plain numbers, then a loop over items and lanes.

Importing this package only tells numba where compiled kernels are kept (`cache`; `OFFTAKE_CACHE` names another parent folder) and what of
them to hold in memory (`loaded`).
"""

from .cache import use_own_folder
from .loaded import load_alone, load_late

use_own_folder()
load_late()
load_alone()
