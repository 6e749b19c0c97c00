#include "data/io/hdf5_text.h"

#include <hdf5.h>

#include <cstring>
#include <string_view>

namespace m2st::data {

Hdf5TextType::Hdf5TextType(Hdf5Id stored) {
  if (H5Tget_class(stored) != H5T_STRING) {
    fail(ExitCode::kInputInvalid, "values are no text");
  }
  variable_ = H5Tis_variable_str(stored) > 0;
  blank_padded_ = !variable_ && H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
  // A copy keeps length, padding and character set, so that nothing is converted.
  memory_ = hdf5_owned(H5Tcopy(stored), ExitCode::kInputInvalid, "text type");
  bytes_ = variable_ ? sizeof(char*) : H5Tget_size(stored);
}

std::vector<std::string> Hdf5TextType::take(char* buffer, std::size_t count) const {
  std::vector<std::string> texts;
  texts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    char* place = buffer + i * bytes_;
    if (variable_) {
      char* text = nullptr;
      std::memcpy(&text, place, sizeof text);
      texts.emplace_back(text == nullptr ? "" : text);
      H5free_memory(text);
    } else {
      std::string_view text(place, ::strnlen(place, bytes_));
      while (blank_padded_ && text.ends_with(' ')) text.remove_suffix(1);
      texts.emplace_back(text);
    }
  }
  return texts;
}

}  // namespace m2st::data
