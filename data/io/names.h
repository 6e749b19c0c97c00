// Names of cells and genes: made unique as scanpy does, made UTF-8, found again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace m2st::data {

// The first of equal names keeps it, the next get "-1", "-2", ... unless that is taken
// (anndata.utils.make_index_unique). Gives how many were renamed.
std::int64_t make_unique(std::vector<std::string>& names);

// Names that are no UTF-8 are taken for Latin-1. Gives how many were.
std::int64_t make_utf8(std::vector<std::string>& names);

// The first name that was there before, or null.
const std::string* first_repeated(const std::vector<std::string>& names);

// Where each name stands; of equal ones the first. The names must outlive it.
using NameIndex = std::unordered_map<std::string_view, std::int32_t>;
NameIndex index_names(const std::vector<std::string>& names);

// "a, b, c, ..." of the first few.
std::string listed(const std::vector<std::string>& names, std::size_t most = 8);

}  // namespace m2st::data
