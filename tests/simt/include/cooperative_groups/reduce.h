// Stand-in for the toolkit's header of the same name. A butterfly: on a device the order of a
// floating-point sum is the library's own affair, so results that are promised to the bit do not
// come from here.
#pragma once

#include "tests/simt/include/cooperative_groups.h"

namespace cooperative_groups {

template <class T>
struct plus {
  T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  T operator()(T a, T b) const { return a < b ? b : a; }
};

template <unsigned kSize, class Parent, class T, class Combine>
T reduce(const thread_block_tile<kSize, Parent>& tile, T value, Combine&& combine,
         Where where = Where::current()) {
  for (unsigned lanes = kSize / 2; lanes > 0; lanes /= 2) {
    value = combine(value, tile.shfl_xor(value, lanes, where));
  }
  return value;
}

}  // namespace cooperative_groups
