#include "model/checkpoint.h"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <string_view>

#include "engine/check.h"
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

Header header_of(std::string_view payload) {
  const XXH128_hash_t hash = XXH3_128bits(payload.data(), payload.size());
  Header header{{}, kVersion, 0, payload.size(), hash.low64, hash.high64};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  return header;
}

class Writer {
 public:
  void number(std::int64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  // Length, then the elements: strings and vectors of plain numbers.
  template <class Sequence>
  void sequence(const Sequence& values) {
    number(static_cast<std::int64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()),
                  values.size() * sizeof(typename Sequence::value_type));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
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
  const Header expected = header_of(payload);
  if (std::memcmp(&expected, &header, sizeof header) != 0) {
    fail(ExitCode::kCheckpoint, "checkpoint: ", path, " is damaged (", payload.size(),
         " bytes of content, ", header.payload_bytes,
         " expected, or their hash differs); start afresh or use an older copy");
  }
  return payload;
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  Writer writer;
  writer.sequence(options_text(checkpoint.options));
  writer.sequence(checkpoint.data_hash);
  writer.number(checkpoint.width);
  writer.number(checkpoint.epoch);
  writer.sequence(checkpoint.losses);
  writer.sequence(checkpoint.losses_per_scale);
  writer.sequence(checkpoint.values);
  writer.sequence(checkpoint.first_moments);
  writer.sequence(checkpoint.second_moments);
  const Header header = header_of(writer.bytes());
  write_whole_file(
      path, std::string(reinterpret_cast<const char*>(&header), sizeof header) + writer.bytes());
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
