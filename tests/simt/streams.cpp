#include "tests/simt/streams.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>

#include "tests/simt/report.h"

namespace m2st::simt {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void merge(std::vector<std::size_t>& into, const std::vector<std::size_t>& more) {
  into.insert(into.end(), more.begin(), more.end());
  std::sort(into.begin(), into.end());
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

// Whether every node comes before one of `last`, or is one.
bool all_lead_to(const CUgraph_st& graph, const std::vector<std::size_t>& last) {
  std::vector<bool> reached(graph.nodes.size(), false);
  for (const std::size_t node : last) reached[node] = true;
  for (std::size_t node = graph.nodes.size(); node-- > 0;) {
    if (!reached[node]) return false;
    for (const std::size_t before : graph.nodes[node].after) reached[before] = true;
  }
  return true;
}

}  // namespace

CUstream_st* Streams::create() {
  streams_.push_back(std::make_unique<CUstream_st>());
  return streams_.back().get();
}

bool Streams::exists(const CUstream_st* stream) const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [&](const auto& other) { return other.get() == stream; });
}

void Streams::destroy(CUstream_st* stream) {
  finish(stream);
  std::erase_if(streams_, [&](const auto& other) { return other.get() == stream; });
}

void Streams::add(CUstream_st* stream, std::function<void()> run) {
  if (stream->capture != nullptr) {
    auto& nodes = stream->capture->graph.nodes;
    nodes.push_back({std::move(run), stream->tail});
    stream->tail = {nodes.size() - 1};
  } else if (lazy_) {
    stream->items.push_back({std::move(run), nullptr, 0});
  } else {
    run();
  }
}

void Streams::record(CUstream_st* stream, CUevent_st* event) {
  event->capture = stream->capture;
  event->captured = stream->tail;
  if (stream->capture != nullptr) return;
  const std::uint64_t ticket = ++event->records->asked_for;
  event->records->pending.insert(ticket);
  add(stream, [records = event->records, ticket] {
    records->pending.erase(ticket);
    records->seconds = now();
  });
}

void Streams::wait(CUstream_st* stream, CUevent_st* event) {
  if (event->capture != nullptr) {
    if (stream->capture == nullptr) {
      stream->capture = event->capture;
      stream->tail.clear();
      event->capture->members.push_back(stream);
    }
    merge(stream->tail, event->captured);
  } else if (lazy_) {
    stream->items.push_back({[] {}, event->records, event->records->asked_for});
  }
}

bool Streams::ready(const CUstream_st& stream) {
  if (stream.items.empty()) return false;
  const auto& item = stream.items.front();
  return item.records == nullptr || item.records->reached(item.ticket);
}

void Streams::step() {
  std::vector<CUstream_st*> able;
  for (const auto& stream : streams_) {
    if (ready(*stream)) able.push_back(stream.get());
  }
  if (able.empty()) report("deadlock: every stream waits for an event that no stream will reach");
  CUstream_st* stream = able[order_.one_of(able.size())];
  const CUstream_st::Item item = std::move(stream->items.front());
  stream->items.pop_front();
  item.run();
}

void Streams::finish(CUstream_st* stream) {
  while (!stream->items.empty()) step();
}

void Streams::finish(const CUevent_st* event) {
  while (!event->records->reached(event->records->asked_for)) step();
}

void Streams::finish_all() {
  for (std::size_t k = 0; k < streams_.size(); ++k) finish(streams_[k].get());
}

int Streams::begin_capture(CUstream_st* stream, bool global) {
  if (stream->capture != nullptr) return cudaErrorStreamCaptureUnsupported;
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->global = global;
  stream->capture->members = {stream};
  stream->tail.clear();
  captures_.push_back(stream->capture);
  return cudaSuccess;
}

int Streams::end_capture(CUstream_st* stream, CUgraph_st** graph) {
  *graph = nullptr;
  if (stream->capture == nullptr || stream->capture->origin != stream) {
    return cudaErrorStreamCaptureUnmatched;
  }
  const std::shared_ptr<Capture> capture = stream->capture;
  const bool joined = all_lead_to(capture->graph, stream->tail);
  for (CUstream_st* member : capture->members) {
    member->capture = nullptr;
    member->tail.clear();
  }
  std::erase(captures_, capture);
  if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (!joined) return cudaErrorStreamCaptureUnjoined;
  *graph = new CUgraph_st(std::move(capture->graph));
  return cudaSuccess;
}

bool Streams::spoils_capture() {
  for (const auto& capture : captures_) {
    if (capture->global) capture->invalid = true;
  }
  return std::any_of(captures_.begin(), captures_.end(), [](const auto& c) { return c->global; });
}

bool Streams::spoils_capture(CUstream_st* stream) {
  if (stream->capture == nullptr) return false;
  stream->capture->invalid = true;
  return true;
}

void Streams::launch(const CUgraphExec_st* exec, CUstream_st* stream) {
  // A copy, because the graph may be destroyed before it has run.
  const auto graph = std::make_shared<CUgraph_st>(exec->graph);
  add(stream, [this, graph] { run_graph(*graph); });
}

void Streams::run_graph(const CUgraph_st& graph) {
  std::vector<bool> done(graph.nodes.size(), false);
  const auto able = [&](std::size_t node) {
    const auto& after = graph.nodes[node].after;
    return !done[node] && std::all_of(after.begin(), after.end(),
                                      [&](std::size_t before) { return done[before]; });
  };
  for (std::size_t count = 0; count < graph.nodes.size(); ++count) {
    std::vector<std::size_t> next;
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      if (able(node)) next.push_back(node);
    }
    const std::size_t node = next[order_.one_of(next.size())];
    graph.nodes[node].run();
    done[node] = true;
  }
}

}  // namespace m2st::simt
