#include "model/checkpoint.h"

#include <bit>
#include <cstring>
#include <deque>
#include <span>
#include <string_view>

#include "engine/check.h"
#include "engine/running_hash.h"
#include "engine/whole_file.h"

namespace m2st::model {

namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

constexpr std::string_view kMagic = "M2STCKPT";
constexpr std::uint32_t kVersion = 1;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t payload_bytes;
  std::uint64_t hash_low;
  std::uint64_t hash_high;
};
static_assert(sizeof(Header) == 40);

Header header_of(std::span<const std::string_view> payload) {
  RunningHash running;
  std::uint64_t bytes = 0;
  for (const std::string_view part : payload) {
    running.add(part.data(), part.size());
    bytes += part.size();
  }
  const XXH128_hash_t hash = running.digest();
  Header header{{}, kVersion, 0, bytes, hash.low64, hash.high64};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  return header;
}

// The payload in parts, which lie where they did: what is written has to outlive the writer.
class Writer {
 public:
  void number(std::int64_t value) { part(&numbers_.emplace_back(value), sizeof value); }
  // Length, then the elements: strings and vectors of plain numbers.
  template <class Sequence>
  void sequence(const Sequence& values) {
    number(static_cast<std::int64_t>(values.size()));
    part(values.data(), values.size() * sizeof(typename Sequence::value_type));
  }
  const std::vector<std::string_view>& parts() const { return parts_; }

 private:
  void part(const void* bytes, std::size_t size) {
    parts_.emplace_back(static_cast<const char*>(bytes), size);
  }

  std::deque<std::int64_t> numbers_;
  std::vector<std::string_view> parts_;
};

class Reader {
 public:
  Reader(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  std::int64_t number() {
    std::int64_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  template <class Sequence>
  void sequence(Sequence& values) {
    constexpr std::size_t kSize = sizeof(typename Sequence::value_type);
    const auto count = static_cast<std::uint64_t>(number());
    if (count > bytes_.size() / kSize) contradiction();
    values.resize(count);
    take(values.data(), count * kSize);
  }
  void finish() const {
    if (!bytes_.empty()) contradiction();
  }
  [[noreturn]] void contradiction() const {
    fail(ExitCode::kCheckpoint, "checkpoint: ", path_,
         " contradicts itself; it was not written by this program, start without it");
  }

 private:
  void take(void* to, std::size_t size) {
    if (size > bytes_.size()) contradiction();
    if (size > 0) std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  const std::string& path_;
  std::string_view bytes_;
};

// The payload, once length and hash are what the header says.
std::string_view verified_payload(const std::string& path, std::string_view bytes) {
  Header header{};
  if (bytes.size() < sizeof header || bytes.substr(0, kMagic.size()) != kMagic) {
    fail(ExitCode::kCheckpoint, "checkpoint: ", path, " is not a checkpoint of this program");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.version != kVersion) {
    fail(ExitCode::kCheckpoint, "checkpoint: ", path, " has version ", header.version,
         ", this program reads ", kVersion, "; use the program that wrote it or start afresh");
  }
  const std::string_view payload = bytes.substr(sizeof header);
  const Header expected = header_of(std::span(&payload, 1));
  if (std::memcmp(&expected, &header, sizeof header) != 0) {
    fail(ExitCode::kCheckpoint, "checkpoint: ", path, " is damaged (", payload.size(),
         " bytes of content, ", header.payload_bytes,
         " expected, or their hash differs); start afresh or use an older copy");
  }
  return payload;
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::string options = options_text(checkpoint.options);
  Writer writer;
  writer.sequence(options);
  writer.sequence(checkpoint.data_hash);
  writer.number(checkpoint.width);
  writer.number(checkpoint.epoch);
  writer.sequence(checkpoint.losses);
  writer.sequence(checkpoint.losses_per_scale);
  writer.sequence(checkpoint.values);
  writer.sequence(checkpoint.first_moments);
  writer.sequence(checkpoint.second_moments);
  const Header header = header_of(writer.parts());
  std::vector<std::string_view> parts = {
      std::string_view(reinterpret_cast<const char*>(&header), sizeof header)};
  parts.insert(parts.end(), writer.parts().begin(), writer.parts().end());
  write_whole_file(path, parts);
}

Checkpoint read_checkpoint(const std::string& path) {
  const std::string bytes = read_whole_file(path, ExitCode::kCheckpoint);
  Reader reader(path, verified_payload(path, bytes));
  Checkpoint checkpoint;
  std::string text;
  reader.sequence(text);
  checkpoint.options = parse_options(text);
  reader.sequence(checkpoint.data_hash);
  checkpoint.width = reader.number();
  checkpoint.epoch = reader.number();
  reader.sequence(checkpoint.losses);
  reader.sequence(checkpoint.losses_per_scale);
  reader.sequence(checkpoint.values);
  reader.sequence(checkpoint.first_moments);
  reader.sequence(checkpoint.second_moments);
  reader.finish();
  const auto scales = static_cast<std::size_t>(checkpoint.options.autoencoder.scales);
  if (checkpoint.epoch != std::ssize(checkpoint.losses) ||
      checkpoint.losses_per_scale.size() != checkpoint.losses.size() * scales) {
    reader.contradiction();
  }
  return checkpoint;
}

}  // namespace m2st::model
