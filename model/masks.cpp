#include "model/masks.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

#include "engine/check.h"
#include "engine/random.h"

namespace m2st::model {

namespace {

struct Ticket {
  std::uint64_t draw;
  std::int32_t id;
  std::int32_t row;

  bool operator<(const Ticket& other) const {
    return std::tie(draw, id) < std::tie(other.draw, other.id);
  }
};

// The `count` rows of lowest draw; ids break ties, so the choice is total.
std::vector<std::int32_t> lowest_tickets(std::vector<Ticket> tickets, std::int64_t count) {
  const auto cut = tickets.begin() + count;
  if (cut != tickets.end()) std::nth_element(tickets.begin(), cut, tickets.end());
  std::vector<std::int32_t> rows;
  rows.reserve(static_cast<std::size_t>(count));
  for (auto ticket = tickets.begin(); ticket != cut; ++ticket) rows.push_back(ticket->row);
  std::sort(rows.begin(), rows.end());
  return rows;
}

Ticket ticket(RandomKey key, std::int32_t id, std::int32_t row) {
  const PhiloxBlock bits = random_block(key, static_cast<std::uint32_t>(id), 0);
  return {static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1], id, row};
}

std::int64_t share(double rate, std::int64_t count) {
  return std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::floor(rate * static_cast<double>(count))), 0, count);
}

// Splits the masked rows into those that keep the token and those that another node replaces.
void choose_replaced(RandomKey key, double rate, Span<const std::int32_t> ids, MaskDraw& mask) {
  const auto nodes = static_cast<std::uint32_t>(ids.size());
  const std::int64_t count = nodes < 2 ? 0 : share(rate, std::ssize(mask.masked));
  if (count == 0) return;
  std::vector<Ticket> tickets;
  for (const std::int32_t row : mask.masked) {
    tickets.push_back(ticket(key, ids[static_cast<std::size_t>(row)], row));
  }
  mask.replaced = lowest_tickets(std::move(tickets), count);
  mask.tokens.clear();
  std::set_difference(mask.masked.begin(), mask.masked.end(), mask.replaced.begin(),
                      mask.replaced.end(), std::back_inserter(mask.tokens));
  std::vector<std::int32_t> row_of_id(ids.size());
  for (std::size_t row = 0; row < ids.size(); ++row) {
    row_of_id[static_cast<std::size_t>(ids[row])] = static_cast<std::int32_t>(row);
  }
  for (const std::int32_t row : mask.replaced) {
    const auto id = static_cast<std::uint32_t>(ids[static_cast<std::size_t>(row)]);
    const std::uint32_t step = 1 + random_index(key, nodes - 1, id, 1);
    const auto donor = static_cast<std::size_t>((static_cast<std::uint64_t>(id) + step) % nodes);
    mask.donors.push_back(row_of_id[donor]);
  }
}

// What follows from `tokens`.
void list_others(Span<const std::int32_t> ids, MaskDraw& mask) {
  mask.token_ids.clear();
  mask.others.clear();
  auto next = mask.tokens.begin();
  for (std::int32_t row = 0; row < std::ssize(ids); ++row) {
    if (next != mask.tokens.end() && *next == row) {
      ++next;
      mask.token_ids.push_back(ids[static_cast<std::size_t>(row)]);
    } else {
      mask.others.push_back(row);
    }
  }
}

}  // namespace

std::int64_t masked_nodes(double mask_rate, std::int64_t nodes) { return share(mask_rate, nodes); }

MaskDraw token_mask(std::vector<std::int32_t> masked, Span<const std::int32_t> ids) {
  MaskDraw mask;
  mask.masked = std::move(masked);
  mask.tokens = mask.masked;
  auto next = mask.masked.begin();
  for (std::int32_t row = 0; row < std::ssize(ids); ++row) {
    if (next != mask.masked.end() && *next == row) {
      ++next;
      continue;
    }
    mask.kept.push_back(row);
    mask.kept_ids.push_back(ids[static_cast<std::size_t>(row)]);
  }
  list_others(ids, mask);
  return mask;
}

MaskDraw draw_mask(std::uint64_t seed, std::uint32_t epoch, double mask_rate, double replace_rate,
                   Span<const std::int32_t> ids) {
  const RandomKey key{seed, stream_of(Purpose::kMask, 0), epoch};
  std::vector<Ticket> tickets;
  tickets.reserve(ids.size());
  for (std::size_t row = 0; row < ids.size(); ++row) {
    tickets.push_back(ticket(key, ids[row], static_cast<std::int32_t>(row)));
  }
  MaskDraw mask =
      token_mask(lowest_tickets(std::move(tickets), masked_nodes(mask_rate, std::ssize(ids))), ids);
  choose_replaced({seed, stream_of(Purpose::kReplace, 0), epoch}, replace_rate, ids, mask);
  list_others(ids, mask);
  return mask;
}

}  // namespace m2st::model
