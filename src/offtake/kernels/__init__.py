"""The arithmetic of the model, one stage a file: month functions of plain numbers, then a loop over items and lanes.

Importing this package only tells numba where compiled kernels are kept. numba's own check sees an edit of the file that holds
a loop, but not one of a month function in another file, and then goes on returning the old number. So the folder is keyed by
the text of every kernel: any edit means a fresh folder. `OFFTAKE_CACHE` names another parent folder.
"""

from .cache import use_own_folder

use_own_folder()
