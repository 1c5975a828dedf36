"""A heap of (time, key), smallest first, in two arrays: equal times come out by key, so the order is total.

**Axes**    entries of the heap.
**Units**   ms; a key is a sequence number above, a row number below.
**Signs**   times and keys >= 0.
**Order**   (time, key) ascending.
**Source**  model U-01; Williams, "Algorithm 232: Heapsort", 1964, four children a node.
"""

from .replay_compiled import inner, step


@step
def push(times, keys, size, time, key):
    """Add an entry to a heap of `size` entries."""
    i = size
    while i > 0:
        up = (i - 1) >> 2
        if times[up] < time or (times[up] == time and keys[up] < key):
            break
        times[i], keys[i] = times[up], keys[up]
        i = up
    times[i], keys[i] = time, key


@step
def settle_down(times, keys, size, i, time, key):
    """Put an entry at place i or below, where both what is above and what is below agree."""
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least, low, low_key = child, times[child], keys[child]
        for c in range(child + 1, min(child + 4, size)):
            if times[c] < low or (times[c] == low and keys[c] < low_key):
                least, low, low_key = c, times[c], keys[c]
        if time < low or (time == low and key < low_key):
            break
        times[i], keys[i] = low, low_key
        i = least
    times[i], keys[i] = time, key


@step
def drop_first(times, keys, size):
    """Take the first entry out of a heap of `size` entries."""
    last = size - 1
    settle_down(times, keys, last, 0, times[last], keys[last])


@inner
def rebuild(times, keys, size):
    """Make a heap of `size` entries in any order."""
    for i in range((size - 2) >> 2, -1, -1):
        settle_down(times, keys, size, i, times[i], keys[i])
