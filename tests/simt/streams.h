// Streams, events, captures and graphs of the stand-in runtime. Eager streams do a thing when it is
// asked for; lazy ones not before something waits for it, and then in any order that streams and
// events allow: a missing wait shows.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "tests/simt/schedule.h"

struct CUstream_st;

// What a captured stream or graph does: operations and, for each, those that come before it.
struct CUgraph_st {
  struct Node {
    std::function<void()> run;
    std::vector<std::size_t> after;
  };
  std::vector<Node> nodes;
};

struct CUgraphExec_st {
  CUgraph_st graph;
};

namespace m2st::simt {

struct Capture {
  CUgraph_st graph;
  CUstream_st* origin = nullptr;
  bool global = false;  // forbids what would wait for the device
  bool invalid = false;
  std::vector<CUstream_st*> members;
};

}  // namespace m2st::simt

struct CUevent_st {
  // Shared with the streams that wait for it: they may outlive the event. Records on several
  // streams are reached in any order.
  struct Records {
    std::uint64_t asked_for = 0;      // how many; a record's ticket is its number
    std::set<std::uint64_t> pending;  // tickets that were not reached yet
    double seconds = 0;               // when the last was

    bool reached(std::uint64_t ticket) const { return !pending.contains(ticket); }
  };
  std::shared_ptr<Records> records = std::make_shared<Records>();
  std::shared_ptr<m2st::simt::Capture> capture;  // of the last record
  std::vector<std::size_t> captured;
};

struct CUstream_st {
  struct Item {
    std::function<void()> run;
    std::shared_ptr<const CUevent_st::Records> records;  // waits until `ticket` was reached
    std::uint64_t ticket = 0;
  };
  std::deque<Item> items;
  std::shared_ptr<m2st::simt::Capture> capture;
  std::vector<std::size_t> tail;  // nodes that the next captured one comes after
};

namespace m2st::simt {

class Streams {
 public:
  Streams(Order order, std::uint64_t seed, bool lazy) : order_(order, seed), lazy_(lazy) {
    order_.begin_block(0, 0);
  }

  CUstream_st* create();
  bool exists(const CUstream_st* stream) const;
  // After everything on it has been done.
  void destroy(CUstream_st* stream);

  // Does it, puts it off, or captures it.
  void add(CUstream_st* stream, std::function<void()> run);
  void record(CUstream_st* stream, CUevent_st* event);
  void wait(CUstream_st* stream, CUevent_st* event);
  void finish(CUstream_st* stream);
  void finish(const CUevent_st* event);
  void finish_all();

  // CUDA's error codes.
  int begin_capture(CUstream_st* stream, bool global);
  int end_capture(CUstream_st* stream, CUgraph_st** graph);
  // Whether a capture forbids to wait for the device; it is spoilt then.
  bool spoils_capture();
  bool spoils_capture(CUstream_st* stream);
  void launch(const CUgraphExec_st* exec, CUstream_st* stream);

 private:
  static bool ready(const CUstream_st& stream);
  // One thing of one stream that can go on.
  void step();
  void run_graph(const CUgraph_st& graph);

  Schedule order_;
  bool lazy_;
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::vector<std::shared_ptr<Capture>> captures_;
};

}  // namespace m2st::simt
