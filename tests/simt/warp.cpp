#include "tests/simt/warp.h"

#include <algorithm>
#include <cmath>

#include "engine/check.h"
#include "tests/simt/report.h"

namespace m2st::simt {

namespace {

bool same_place(const Where& a, const Where& b) {
  return a.line() == b.line() &&
         (a.file_name() == b.file_name() || std::string(a.file_name()) == b.file_name());
}

std::uint32_t combined(Reduction reduction, std::uint32_t a, std::uint32_t b) {
  const auto signed_a = static_cast<std::int32_t>(a), signed_b = static_cast<std::int32_t>(b);
  switch (reduction) {
    case Reduction::kSum:
      return a + b;
    case Reduction::kLeast:
      return std::min(a, b);
    case Reduction::kGreatest:
      return std::max(a, b);
    case Reduction::kLeastSigned:
      return static_cast<std::uint32_t>(std::min(signed_a, signed_b));
    case Reduction::kGreatestSigned:
      return static_cast<std::uint32_t>(std::max(signed_a, signed_b));
    case Reduction::kAnd:
      return a & b;
    case Reduction::kOr:
      return a | b;
    case Reduction::kXor:
      return a ^ b;
  }
  return 0;
}

template <class Function>
void for_lanes(unsigned mask, Function&& function) {
  for (; mask != 0; mask &= mask - 1) function(static_cast<unsigned>(__builtin_ctz(mask)));
}

// Every lane's part stays where it is while the lane waits.
void add_products(const std::array<std::uint64_t, kWarpLanes>& parts) {
  std::array<const ProductPart*, kWarpLanes> of_lane;
  for (std::size_t lane = 0; lane < of_lane.size(); ++lane) {
    of_lane[lane] = reinterpret_cast<const ProductPart*>(parts[lane]);
  }
  const int rows = of_lane[0]->rows, cols = of_lane[0]->cols;
  for (int fragment = 0; fragment < rows * cols; ++fragment) {
    double a[32], b[4][8], sums[8][8];
    for (std::size_t lane = 0; lane < of_lane.size(); ++lane) {
      const ProductPart& part = *of_lane[lane];
      a[lane] = part.a[fragment / cols];
      b[lane % 4][lane / 4] = part.b[fragment % cols];
      std::copy_n(part.sums + 2 * fragment, 2, sums[lane / 4] + lane % 4 * 2);
    }
    for (int i = 0; i < 8; ++i) {
      for (int p = 0; p < 4; ++p) {
        for (int j = 0; j < 8; ++j) sums[i][j] = std::fma(a[4 * i + p], b[p][j], sums[i][j]);
      }
    }
    for (std::size_t lane = 0; lane < of_lane.size(); ++lane) {
      std::copy_n(sums[lane / 4] + lane % 4 * 2, 2, of_lane[lane]->sums + 2 * fragment);
    }
  }
}

}  // namespace

const char* name_of(WarpKind kind) {
  switch (kind) {
    case WarpKind::kBarrier:
      return "__syncwarp";
    case WarpKind::kShuffle:
      return "shuffle";
    case WarpKind::kBallot:
      return "vote";
    case WarpKind::kMatch:
      return "match";
    case WarpKind::kReduce:
      return "reduction";
    case WarpKind::kProducts:
      return "product of fragments";
  }
  return "";
}

int Warp::find(int lane, const WarpCall& call) const {
  for (int k = 0; k < count_; ++k) {
    const Pending& pending = pending_[static_cast<std::size_t>(k)];
    const bool mine = pending.call.mask == call.mask && pending.call.kind == call.kind;
    if (mine && (pending.arrived >> lane & 1) == 0) return k;
  }
  return -1;
}

std::string Warp::complaint(int lane, const WarpCall& call) const {
  if ((call.mask >> lane & 1) == 0) {
    return concat("the mask ", text_of_mask(call.mask), " leaves out lane ", lane,
                  ", which names it");
  }
  if (const unsigned none = call.mask & ~lanes_; none != 0) {
    return concat("the mask ", text_of_mask(call.mask), " names lanes ", text_of_mask(none),
                  ", which the block does not have");
  }
  if (const unsigned gone = call.mask & returned_; gone != 0) {
    return concat("the mask ", text_of_mask(call.mask), " names lanes ", text_of_mask(gone),
                  ", which have returned");
  }
  const bool bad_source = call.source < 0 || (call.mask >> call.source & 1) == 0;
  if (call.kind == WarpKind::kShuffle && bad_source) {
    return concat("shuffle from lane ", call.source, ", which the mask ", text_of_mask(call.mask),
                  " leaves out");
  }
  for (int k = 0; k < count_; ++k) {
    const WarpCall& other = pending_[static_cast<std::size_t>(k)].call;
    const unsigned arrived = pending_[static_cast<std::size_t>(k)].arrived;
    if ((arrived & call.mask) == 0 || (other.mask >> lane & 1) == 0) continue;
    if (other.mask != call.mask || other.kind != call.kind) {
      return concat("lanes of one warp disagree: lanes ", text_of_mask(arrived), " wait in a ",
                    name_of(other.kind), " of ", text_of_mask(other.mask), " at ",
                    text_of(other.where), ", lane ", lane, " comes to a ", name_of(call.kind),
                    " of ", text_of_mask(call.mask));
    }
    if (!same_place(other.where, call.where)) {
      return concat("lanes of one warp stand at different lines: lanes ", text_of_mask(arrived),
                    " in a ", name_of(other.kind), " at ", text_of(other.where), ", lane ", lane,
                    " elsewhere");
    }
  }
  return "";
}

void Warp::arrive(int lane, const WarpCall& call, WarpResults& results) {
  int k = find(lane, call);
  if (k < 0) {
    k = count_++;
    pending_[static_cast<std::size_t>(k)].call = call;
    pending_[static_cast<std::size_t>(k)].arrived = 0;
  }
  Pending& pending = pending_[static_cast<std::size_t>(k)];
  const auto index = static_cast<std::size_t>(lane);
  pending.arrived |= 1u << lane;
  pending.value[index] = call.value;
  pending.source[index] = call.source;
  results.mask = 0;
  if (pending.arrived != call.mask) return;
  work_out(pending, results);
  if (k != --count_) pending = pending_[static_cast<std::size_t>(count_)];
}

void Warp::work_out(const Pending& pending, WarpResults& results) {
  const unsigned mask = pending.call.mask;
  results.mask = mask;
  switch (pending.call.kind) {
    case WarpKind::kBarrier:
      return;
    case WarpKind::kShuffle:
      for_lanes(mask, [&](unsigned lane) {
        results.of_lane[lane] = pending.value[static_cast<std::size_t>(pending.source[lane])];
      });
      return;
    case WarpKind::kBallot: {
      unsigned ballot = 0;
      for_lanes(mask, [&](unsigned lane) { ballot |= (pending.value[lane] & 1u) << lane; });
      for_lanes(mask, [&](unsigned lane) { results.of_lane[lane] = ballot; });
      return;
    }
    case WarpKind::kMatch:
      for_lanes(mask, [&](unsigned lane) {
        unsigned same = 0;
        for_lanes(mask, [&](unsigned other) {
          same |= pending.value[other] == pending.value[lane] ? 1u << other : 0u;
        });
        results.of_lane[lane] = same;
      });
      return;
    case WarpKind::kReduce: {
      auto total = static_cast<std::uint32_t>(pending.value[__builtin_ctz(mask)]);
      for_lanes(mask & (mask - 1), [&](unsigned lane) {
        total = combined(pending.call.reduction, total,
                         static_cast<std::uint32_t>(pending.value[lane]));
      });
      for_lanes(mask, [&](unsigned lane) { results.of_lane[lane] = total; });
      return;
    }
    case WarpKind::kProducts:
      add_products(pending.value);
      return;
  }
}

std::string Warp::return_of(int lane) {
  returned_ |= 1u << lane;
  for (int k = 0; k < count_; ++k) {
    const WarpCall& call = pending_[static_cast<std::size_t>(k)].call;
    if ((call.mask >> lane & 1) == 0) continue;
    return concat("lane ", lane, " returned while lanes ",
                  text_of_mask(pending_[static_cast<std::size_t>(k)].arrived), " wait for it in a ",
                  name_of(call.kind), " at ", text_of(call.where));
  }
  return "";
}

}  // namespace m2st::simt
