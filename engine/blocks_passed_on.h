// A device's pool passes its blocks on for as long as this lives: memory then goes to arrays of any
// size, and the most that is taken is the most that is in use. The host's keeps its blocks, for
// fresh pages cost more than kept ones save.
#pragma once

#include <type_traits>

#include "engine/context.h"

namespace m2st {

class BlocksPassedOn {
 public:
  BlocksPassedOn(Context& context, bool wanted) : context_(context), on_(wanted) {
    if (on_) set(true);
  }
  ~BlocksPassedOn() {
    if (on_) set(false);
  }
  BlocksPassedOn(const BlocksPassedOn&) = delete;
  BlocksPassedOn& operator=(const BlocksPassedOn&) = delete;

 private:
  void set(bool on) {
    context_.dispatch([on](auto& c) {
      if constexpr (!std::is_same_v<std::decay_t<decltype(c)>, CpuContext>) c.pass_blocks_on(on);
    });
  }

  Context& context_;
  bool on_;
};

}  // namespace m2st
