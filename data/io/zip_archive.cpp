// Layout and names of fields as in PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3.
#include "data/io/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50,
                        kEndOfDirectory = 0x06054b50, kEndOfDirectory64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::int64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocator64Bytes = 20,
                       kEnd64Bytes = 56;
constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;  // the value is in the zip64 field
constexpr int kStored = 0, kDeflated = 8;
constexpr std::uint64_t kVersion64 = 45, kZip64Field = 1, kFirstDay = 0x21;  // 1980-01-01
// No deflated byte unpacks to more than this.
constexpr std::int64_t kLargestRatio = 1032;

std::uint64_t number(std::string_view bytes, std::size_t offset, int width) {
  std::uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + static_cast<std::size_t>(i)]);
  }
  return value;
}

void put(std::string& bytes, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) {
    bytes += static_cast<char>(i < 8 ? value >> (8 * i) & 0xFF : 0);
  }
}

std::uint32_t checksum_of(std::string_view bytes) {
  uLong sum = crc32_z(0, nullptr, 0);
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return static_cast<std::uint32_t>(sum);
}

// False when the packed bytes are no deflate stream of exactly that many bytes.
bool inflate_raw(std::string_view packed, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
  std::size_t in_done = 0, out_done = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t in_piece = std::min(kPiece, packed.size() - in_done);
    const std::size_t out_piece = std::min(kPiece, out.size() - out_done);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + in_done));
    stream.avail_in = static_cast<uInt>(in_piece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + out_done);
    stream.avail_out = static_cast<uInt>(out_piece);
    status = inflate(&stream, Z_NO_FLUSH);
    in_done += in_piece - stream.avail_in;
    out_done += out_piece - stream.avail_out;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && out_done == out.size();
}

// What both headers of a member share.
void put_description(std::string& to, const std::string& name, std::uint32_t checksum) {
  put(to, kVersion64, 2);
  put(to, 0, 2);  // flags
  put(to, kStored, 2);
  put(to, 0, 2);  // time
  put(to, kFirstDay, 2);
  put(to, checksum, 4);
  put(to, kElsewhere, 4);
  put(to, kElsewhere, 4);
  put(to, name.size(), 2);
}

void put_local(std::string& to, const std::string& name, std::string_view content,
               std::uint32_t checksum) {
  put(to, kLocalHeader, 4);
  put_description(to, name, checksum);
  put(to, 20, 2);  // bytes of the extra field
  to += name;
  put(to, kZip64Field, 2);
  put(to, 16, 2);
  put(to, content.size(), 8);
  put(to, content.size(), 8);
  to += content;
}

void put_central(std::string& to, const std::string& name, std::string_view content,
                 std::uint32_t checksum, std::uint64_t offset) {
  put(to, kCentralHeader, 4);
  put(to, kVersion64, 2);
  put_description(to, name, checksum);
  put(to, 28, 2);  // bytes of the extra field
  put(to, 0, 10);  // comment, disk, attributes
  put(to, kElsewhere, 4);
  to += name;
  put(to, kZip64Field, 2);
  put(to, 24, 2);
  put(to, content.size(), 8);
  put(to, content.size(), 8);
  put(to, offset, 8);
}

void put_end(std::string& to, const std::string& directory, std::uint64_t members) {
  const std::uint64_t start = to.size();
  to += directory;
  const std::uint64_t end = to.size();
  put(to, kEndOfDirectory64, 4);
  put(to, kEnd64Bytes - 12, 8);
  put(to, kVersion64, 2);
  put(to, kVersion64, 2);
  put(to, 0, 8);  // disks
  put(to, members, 8);
  put(to, members, 8);
  put(to, directory.size(), 8);
  put(to, start, 8);
  put(to, kLocator64, 4);
  put(to, 0, 4);
  put(to, end, 8);
  put(to, 1, 4);
  put(to, kEndOfDirectory, 4);
  put(to, 0, 4);
  put(to, members, 2);
  put(to, members, 2);
  put(to, kElsewhere, 4);
  put(to, kElsewhere, 4);
  put(to, 0, 2);  // comment
}

}  // namespace

ZipArchive::ZipArchive(const std::string& path) : file_(path) { read_directory(); }

void ZipArchive::refuse(const std::string& reason) const {
  fail(ExitCode::kInputInvalid, path(), ": ", reason,
       "; save it again with scipy.sparse.save_npz or numpy.savez, or copy it again");
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.name);
  return names;
}

bool ZipArchive::holds(const std::string& name) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return member.name == name; });
}

ZipArchive::Directory ZipArchive::find_directory() const {
  const std::int64_t tail_bytes =
      std::min(file_.size(), kEndBytes + std::numeric_limits<std::uint16_t>::max());
  std::string tail(static_cast<std::size_t>(tail_bytes), '\0');
  file_.read(file_.size() - tail_bytes, tail.data(), tail_bytes);
  const std::size_t end = tail.rfind("PK\x05\x06");
  if (end == std::string::npos || end + kEndBytes > tail.size()) {
    refuse("is no .npz (zip) archive, or was cut short");
  }
  Directory found{number(tail, end + 10, 2), number(tail, end + 12, 4), number(tail, end + 16, 4)};
  if (found.offset == kElsewhere && end >= static_cast<std::size_t>(kLocator64Bytes)) {
    const std::uint64_t place = number(tail, end - kLocator64Bytes + 8, 8);
    if (file_.size() < kEnd64Bytes ||
        place > static_cast<std::uint64_t>(file_.size() - kEnd64Bytes)) {
      refuse("is damaged at its end");
    }
    std::string wide(kEnd64Bytes, '\0');
    file_.read(static_cast<std::int64_t>(place), wide.data(), kEnd64Bytes);
    if (number(wide, 0, 4) != kEndOfDirectory64) refuse("is damaged at its end");
    found = {number(wide, 32, 8), number(wide, 40, 8), number(wide, 48, 8)};
  }
  const auto size = static_cast<std::uint64_t>(file_.size());
  if (found.bytes > size || found.offset > size - found.bytes) {
    refuse("is damaged: its directory lies outside");
  }
  return found;
}

void ZipArchive::read_directory() {
  const Directory place = find_directory();
  std::string directory(place.bytes, '\0');
  file_.read(static_cast<std::int64_t>(place.offset), directory.data(),
             static_cast<std::int64_t>(place.bytes));
  std::string_view rest = directory;
  for (std::uint64_t i = 0; i < place.members; ++i) read_entry(rest);
}

void ZipArchive::read_entry(std::string_view& rest) {
  const bool whole = rest.size() >= static_cast<std::size_t>(kCentralBytes) &&
                     number(rest, 0, 4) == kCentralHeader;
  const std::size_t name_bytes = whole ? number(rest, 28, 2) : 0;
  const std::size_t extra_bytes = whole ? number(rest, 30, 2) : 0;
  const std::size_t bytes =
      whole ? kCentralBytes + name_bytes + extra_bytes + number(rest, 32, 2) : 0;
  if (!whole || bytes > rest.size()) refuse("is damaged in its directory");
  std::uint64_t unpacked = number(rest, 24, 4), packed = number(rest, 20, 4),
                header = number(rest, 42, 4);
  const std::string_view extra = rest.substr(kCentralBytes + name_bytes, extra_bytes);
  for (std::size_t e = 0; e + 4 <= extra.size(); e += 4 + number(extra, e + 2, 2)) {
    if (number(extra, e, 2) != kZip64Field) continue;
    std::size_t field = e + 4;
    for (std::uint64_t* value : {&unpacked, &packed, &header}) {
      if (*value != kElsewhere) continue;
      if (field + 8 > extra.size()) refuse("is damaged in its directory");
      *value = number(extra, field, 8);
      field += 8;
    }
  }
  const auto size = static_cast<std::uint64_t>(file_.size());
  if (header > size || packed > size || unpacked / kLargestRatio > size) {
    refuse("is damaged: a member lies outside");
  }
  members_.push_back(
      {std::string(rest.substr(kCentralBytes, name_bytes)), static_cast<int>(number(rest, 10, 2)),
       static_cast<std::uint32_t>(number(rest, 16, 4)), static_cast<std::int64_t>(packed),
       static_cast<std::int64_t>(unpacked), static_cast<std::int64_t>(header)});
  rest.remove_prefix(bytes);
}

InputFile ZipArchive::open(const std::string& name) const {
  const auto member = std::find_if(members_.begin(), members_.end(),
                                   [&](const Member& one) { return one.name == name; });
  if (member == members_.end()) refuse("holds no " + name);
  if (member->header_offset + kLocalBytes > file_.size()) refuse("is cut short at " + name);
  std::string header(kLocalBytes, '\0');
  file_.read(member->header_offset, header.data(), kLocalBytes);
  if (number(header, 0, 4) != kLocalHeader) refuse("is damaged at " + name);
  const std::int64_t start = member->header_offset + kLocalBytes +
                             static_cast<std::int64_t>(number(header, 26, 2)) +
                             static_cast<std::int64_t>(number(header, 28, 2));
  if (start + member->packed_bytes > file_.size()) refuse("is cut short at " + name);
  std::string packed(static_cast<std::size_t>(member->packed_bytes), '\0');
  file_.read(start, packed.data(), member->packed_bytes);
  if (member->method == kDeflated) {
    std::string unpacked(static_cast<std::size_t>(member->bytes), '\0');
    if (!inflate_raw(packed, unpacked)) refuse("is damaged at " + name);
    packed.swap(unpacked);
  } else if (member->method != kStored) {
    refuse(concat("has ", name, " packed by method ", member->method, ", which is not read here"));
  }
  if (checksum_of(packed) != member->checksum) refuse("is damaged at " + name + " (checksum)");
  return InputFile(path() + "/" + name, std::move(packed));
}

std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string bytes, directory;
  for (const auto& [name, content] : members) {
    const std::uint64_t offset = bytes.size();
    const std::uint32_t checksum = checksum_of(content);
    put_local(bytes, name, content, checksum);
    put_central(directory, name, content, checksum, offset);
  }
  put_end(bytes, directory, members.size());
  return bytes;
}

}  // namespace m2st::data
