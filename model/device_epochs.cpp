// Epochs on a device: its lists, its lanes, its graph. run() waits for the losses, so no launch is
// under way when the memory goes.
#include "model/device_epochs.h"

#if defined(M2ST_WITH_CUDA)

#include <memory>
#include <numeric>
#include <utility>

#include "engine/copy.h"
#include "engine/cuda_graph.h"
#include "kernels/epoch.h"

namespace m2st::model {

namespace {

using kernels::AdamFactors;

// Lists that every epoch writes anew; how long they are is the same for all.
struct DeviceLists {
  Array<std::int64_t> flags;  // 1: masked
  Array<std::int32_t> masked, masked_ids, kept, kept_ids;

  DeviceLists(MemoryPool& pool, std::int64_t nodes, std::int64_t count)
      : flags(pool, nodes),
        masked(pool, count),
        masked_ids(pool, count),
        kept(pool, nodes - count),
        kept_ids(pool, nodes - count) {}

  MaskLists mask() const {
    MaskLists lists;
    lists.masked = lists.tokens = masked.span();
    lists.token_ids = masked_ids.span();
    lists.kept = lists.others = kept.span();
    lists.kept_ids = kept_ids.span();
    return lists;
  }
};

// The device's EdgesInto, with room for all edges; `quiet`: without those between two such nodes.
struct DeviceEdges {
  Array<std::int64_t> in_offsets, out_offsets, out_edges;
  Array<std::int32_t> sources, out_destinations, silent;

  DeviceEdges(MemoryPool& pool, const GraphView& graph, bool quiet)
      : in_offsets(pool, graph.nodes() + 1),
        out_offsets(pool, graph.nodes() + 1),
        out_edges(pool, graph.edges()),
        sources(pool, graph.edges()),
        out_destinations(pool, graph.edges()),
        silent(pool, quiet ? graph.nodes() : 0) {}

  kernels::EdgesIntoView writable() {
    return {in_offsets.span(),       sources.span(),   out_offsets.span(),
            out_destinations.span(), out_edges.span(), silent.span()};
  }
  GraphView view(Span<const std::int32_t> ids) const {
    return {{in_offsets.span(), sources.span()},
            {out_offsets.span(), out_destinations.span(), out_edges.span()},
            ids};
  }
};

std::vector<std::int32_t> rows_of_ids(Span<const std::int32_t> ids) {
  std::vector<std::int32_t> rows(ids.size());
  for (std::size_t row = 0; row < ids.size(); ++row) {
    rows[static_cast<std::size_t>(ids[row])] = static_cast<std::int32_t>(row);
  }
  return rows;
}

template <class T>
class DeviceEpochs {
 public:
  DeviceEpochs(CudaContext& cuda, Context& context, const Autoencoder& autoencoder,
               autograd::ParameterBlock<T>& parameters, const PlacedData<T>& data,
               const TrainConfig& train, const kernels::AdamOptions& adam)
      : cuda_(cuda),
        context_(context),
        autoencoder_(autoencoder),
        parameters_(parameters),
        data_(data),
        train_(train),
        lists_(cuda.pool(), data.graph().nodes(),
               masked_nodes(train.mask_rate, data.graph().nodes())),
        codes_(cuda.pool(), data.graph(), false),
        outputs_(cuda.pool(), data.graph(), autoencoder.config().remask == Remask::kZero),
        rows_of_ids_(cuda.pool(), data.graph().nodes()),
        factors_(cuda.pool(), train.epochs),
        epoch_(cuda.pool(), 1),
        losses_(cuda.pool(), autoencoder.scales()),
        history_(cuda.pool(), kMostEpochsAtOnce, autoencoder.scales()) {
    copy_in<std::int32_t>(cuda, rows_of_ids(data.host_graph().ids), rows_of_ids_.span());
    std::vector<AdamFactors<T>> factors;
    for (int step = 1; step <= train.epochs; ++step) {
      factors.push_back(kernels::adam_factors<T>(adam, step));
    }
    copy_in<AdamFactors<T>>(cuda, factors, factors_.span());
    for (int k = 0; k < autoencoder.scales(); ++k) {
      lanes_.push_back(std::make_unique<CudaLane>(cuda.device()));
    }
    beside_ = {[this] { fork(); },
               [this](int k, const std::function<void()>& work) {
                 const CudaLaneScope scope(cuda_, lane(k));
                 work();
               },
               [this](int k) { lane(k).follow(lane(k - 1)); }, [this] { join(); }};
  }
  DeviceEpochs(const DeviceEpochs&) = delete;
  DeviceEpochs& operator=(const DeviceEpochs&) = delete;

  std::vector<StepLoss> run(int first, int count) {
    M2ST_CHECK(count >= 1 && count <= kMostEpochsAtOnce && first + count - 1 <= train_.epochs,
               "epochs on a device: asked for ", count, " from epoch ", first);
    const auto number = static_cast<std::uint32_t>(first);
    copy_in<std::uint32_t>(cuda_, Span<const std::uint32_t>(&number, 1), epoch_.span());
    lane(0).follow(cuda_.lane());
    {
      const CudaLaneScope scope(cuda_, lane(0));
      for (int k = 0; k < count; ++k) graph_.run(cuda_);
    }
    cuda_.lane().follow(lane(0));
    return losses_of(first, count);
  }

 private:
  CudaLane& lane(int k) { return *lanes_[static_cast<std::size_t>(k)]; }

  void fork() {
    for (int k = 1; k < autoencoder_.scales(); ++k) lane(k).follow(lane(0));
  }
  void join() {
    for (int k = 1; k < autoencoder_.scales(); ++k) lane(0).follow(lane(k));
  }

  void make_lists() {
    const RandomKey key{train_.seed, stream_of(Purpose::kMask, 0), 0, epoch_.data()};
    kernels::flag_lowest_tickets(cuda_, key, lists_.masked.size(), rows_of_ids_.span(),
                                 lists_.flags.span());
    kernels::split_rows(cuda_, lists_.flags.span(), data_.graph().ids,
                        {lists_.masked.span(), lists_.masked_ids.span(), lists_.kept.span(),
                         lists_.kept_ids.span()});
    kernels::edges_into(cuda_, data_.graph(), lists_.flags.span(), 0, codes_.writable());
    kernels::edges_into(cuda_, data_.graph(), lists_.flags.span(), 1, outputs_.writable());
  }

  void epoch() {
    make_lists();
    const LiveEdges live{codes_.view(data_.graph().ids), outputs_.view(data_.graph().ids),
                         std::as_const(outputs_.silent).span()};
    autograd::Tape<T> tape(context_, autograd::Tape<T>::Mode::kRecord);
    const Pass<T> pass{tape, parameters_,          data_.graph(), true,  train_.seed,
                       0,    usual_path(context_), &live,         false, epoch_.data()};
    gradients_of_epoch<T>(pass, parameters_, autoencoder_, train_, data_.features(),
                          {lists_.mask(), lists_.masked.span()}, 1.0, losses_.span(), &beside_);
    kernels::adam_step_of_epoch<T>(cuda_, std::as_const(factors_).span(),
                                   std::as_const(epoch_).span(), parameters_.gradients(),
                                   parameters_.first_moments(), parameters_.second_moments(),
                                   parameters_.values());
    kernels::end_epoch(cuda_, losses_.span(), history_.view(), epoch_.span());
  }

  std::vector<StepLoss> losses_of(int first, int count) {
    std::vector<double> history(static_cast<std::size_t>(history_.size()));
    copy_out<double>(cuda_, std::as_const(history_).span(), history);
    std::vector<StepLoss> losses;
    for (int k = 0; k < count; ++k) {
      const auto row = (first - 1 + k) % history_.rows() * history_.cols();
      losses.push_back(step_loss({history.begin() + row, history.begin() + row + history_.cols()}));
    }
    return losses;
  }

  CudaContext& cuda_;
  Context& context_;
  const Autoencoder& autoencoder_;
  autograd::ParameterBlock<T>& parameters_;
  const PlacedData<T>& data_;
  TrainConfig train_;
  DeviceLists lists_;
  DeviceEdges codes_, outputs_;  // into what is kept, into what is masked
  Array<std::int32_t> rows_of_ids_;
  Array<AdamFactors<T>> factors_;
  Array<std::uint32_t> epoch_;
  Array<double> losses_;
  Matrix<double> history_;
  std::vector<std::unique_ptr<CudaLane>> lanes_;  // one a scale; the graph's memory is theirs
  SideBySide beside_;
  CudaGraph graph_{[this] { epoch(); }};
};

}  // namespace

bool can_run_on_device(const TrainConfig& train, std::int64_t nodes) {
  return train.replace_rate == 0 && !train.recompute && masked_nodes(train.mask_rate, nodes) > 0;
}

template <class T>
RunEpochs epochs_on_device(CudaContext& cuda, Context& context, const Autoencoder& autoencoder,
                           autograd::ParameterBlock<T>& parameters, const PlacedData<T>& data,
                           const TrainConfig& train, const kernels::AdamOptions& adam) {
  const auto epochs =
      std::make_shared<DeviceEpochs<T>>(cuda, context, autoencoder, parameters, data, train, adam);
  return [epochs](int first, int count) { return epochs->run(first, count); };
}

#define INSTANTIATE(T)                                                                       \
  template RunEpochs epochs_on_device<T>(CudaContext&, Context&, const Autoencoder&,         \
                                         autograd::ParameterBlock<T>&, const PlacedData<T>&, \
                                         const TrainConfig&, const kernels::AdamOptions&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::model

#endif
