"""The engine's random numbers (engine/random.h) in NumPy.

Start values and masks are pure functions of (seed, purpose, epoch, id), so a peer that draws them
here starts where the engine does and masks the same cells: losses and labels can then be compared
number by number.
"""
import numpy as np

INITIALISE, MASK, CLUSTER = 1, 2, 6  # Purpose in engine/random.h
WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(seed, ids, block, epoch, stream):
    """Philox4x32-10 (Salmon et al. 2011): four arrays of words, one entry per id."""
    def split(a, b):
        product = a * b
        return product >> HALF, product & WORD

    ids, block = np.broadcast_arrays(np.asarray(ids, np.uint64), np.asarray(block, np.uint64))
    key0, key1 = int(seed) & 0xFFFFFFFF, int(seed) >> 32
    c0, c1 = ids & WORD, block & WORD
    c2, c3 = np.full_like(c0, int(epoch)), np.full_like(c0, int(stream))
    for _ in range(10):
        high0, low0 = split(np.uint64(0xD2511F53), c0)
        high1, low1 = split(np.uint64(0xCD9E8D57), c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ np.uint64(key0), low1, high0 ^ c3 ^ np.uint64(key1), low0
        key0, key1 = (key0 + 0x9E3779B9) & 0xFFFFFFFF, (key1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def stream_of(purpose, index):
    return purpose << 24 | index


def uniform(seed, stream, ids, block=0, epoch=0):
    """In [0, 1), 53 random bits."""
    w0, w1, _, _ = philox(seed, ids, block, epoch, stream)
    return ((w0 << HALF | w1) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed, stream, ids, block=0, epoch=0):
    """Standard normal by Box and Muller."""
    w0, w1, _, _ = philox(seed, ids, block, epoch, stream)
    radius = np.sqrt(-2.0 * np.log((w0.astype(np.float64) + 1.0) * 2.0**-32))
    return radius * np.cos(2.0 * np.pi * (w1.astype(np.float64) * 2.0**-32))


def index(seed, stream, bound, ids, block=0, epoch=0):
    """Uniform integers in [0, bound)."""
    w0, _, _, _ = philox(seed, ids, block, epoch, stream)
    return (w0 * np.uint64(bound) >> HALF).astype(np.int64)


def masked_cells(seed, epoch, rate, cells):
    """The ⌊rate · cells⌋ cells of lowest ticket (model/masks.h); epochs count from 1."""
    w0, w1, _, _ = philox(seed, np.arange(cells), 0, epoch, stream_of(MASK, 0))
    order = np.lexsort((np.arange(cells), w0 << HALF | w1))
    return np.sort(order[: int(rate * cells)])
