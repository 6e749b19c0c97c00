// Plain values in a row of bytes, for two processes of this program that talk over a socket. What
// comes in may be damaged: reading past the end is exit code 4, never past the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/check.h"

namespace m2st::data {

class MessageWriter {
 public:
  template <class T>
  void put(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(std::string_view text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(static_cast<std::uint64_t>(values.size()));
    if constexpr (std::is_arithmetic_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    } else {
      for (const T& value : values) put(std::string_view(value));
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string get_text() { return std::string(take(get<std::uint64_t>())); }
  std::vector<std::string> get_texts() {
    std::vector<std::string> texts(counted(sizeof(std::uint64_t)));
    for (std::string& text : texts) text = get_text();
    return texts;
  }
  template <class T>
  std::vector<T> get_numbers() {
    std::vector<T> values(counted(sizeof(T)));
    const std::string_view bytes = take(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  // A number of things of at least `bytes` bytes each that follow.
  std::size_t counted(std::size_t bytes) {
    const auto count = get<std::uint64_t>();
    if (count > bytes_.size() / bytes) damaged();
    return count;
  }

 private:
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) damaged();
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  [[noreturn]] static void damaged() {
    fail(ExitCode::kInputInvalid, "the answer of the reading process is damaged");
  }

  std::string_view bytes_;
};

}  // namespace m2st::data
