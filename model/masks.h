// Which nodes are masked in an epoch. Exactly ⌊rate·N⌋, uniformly, as a function of (seed, epoch,
// global ids) alone: neither the order of nodes inside the engine nor threads change the draw.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/view.h"

namespace m2st::model {

// Row numbers in the engine's order, each list ascending except `donors`.
struct MaskDraw {
  std::vector<std::int32_t> masked;     // in the loss, and re-masked before the decoders
  std::vector<std::int32_t> tokens;     // of these, the ones whose features become the token
  std::vector<std::int32_t> replaced;   // of these, the ones that get another node's features
  std::vector<std::int32_t> donors;     // whose features: donors[i] for replaced[i]
  std::vector<std::int32_t> token_ids;  // the tokens' global ids
  std::vector<std::int32_t> others;     // the rows whose features are not the token
  std::vector<std::int32_t> kept;       // the rows that are not masked
  std::vector<std::int32_t> kept_ids;   // their global ids
};

// The same lists as kernels see them, wherever those work.
struct MaskLists {
  Span<const std::int32_t> masked, tokens, replaced, donors, token_ids, others, kept, kept_ids;

  MaskLists() = default;
  // On the host.
  MaskLists(const MaskDraw& draw)
      : masked(draw.masked),
        tokens(draw.tokens),
        replaced(draw.replaced),
        donors(draw.donors),
        token_ids(draw.token_ids),
        others(draw.others),
        kept(draw.kept),
        kept_ids(draw.kept_ids) {}
};

// How many of so many nodes a rate masks.
std::int64_t masked_nodes(double mask_rate, std::int64_t nodes);

// A mask of these rows (ascending), all with the token.
MaskDraw token_mask(std::vector<std::int32_t> masked, Span<const std::int32_t> ids);

// ids: the global ids 0..N−1 in the engine's order. ⌊replace_rate·masked⌋ of the masked are
// replaced, each by a node other than itself, uniformly.
MaskDraw draw_mask(std::uint64_t seed, std::uint32_t epoch, double mask_rate, double replace_rate,
                   Span<const std::int32_t> ids);

}  // namespace m2st::model
