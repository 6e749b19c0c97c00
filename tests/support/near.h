// Comparison of arrays: relative Frobenius error and the worst element, with a message that shows
// where and how far off. NaN and Inf never pass. Use: EXPECT_TRUE(near(got, want, tolerance)).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>

namespace m2st::test {

struct Tolerance {
  double frobenius;  // of ‖got − want‖ / ‖want‖
  double element;    // of max |got − want| / max |want|
  double scale = 0;  // size of what cancels in `want`: smaller values are measured against this
};

// The worst element of a few thousand is allowed ten times the whole's relative error.
inline Tolerance relative_error(double frobenius, double scale = 0) {
  return {frobenius, 10 * frobenius, scale};
}

namespace detail {

struct Difference {
  double frobenius = 0;
  double element = 0;
  std::size_t worst = 0;
};

// Where `want` is all zero, errors are absolute.
template <class Got, class Want>
Difference difference(std::span<const Got> got, std::span<const Want> want, double scale) {
  Difference result;
  double squares = 0, squared_norm = 0, largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double wanted = static_cast<double>(want[i]);
    const double error = std::abs(static_cast<double>(got[i]) - wanted);
    squares += error * error;
    squared_norm += wanted * wanted;
    largest = std::max(largest, std::abs(wanted));
    if (std::isnan(error)) return {error, error, i};
    if (error > result.element) {
      result.element = error;
      result.worst = i;
    }
  }
  largest = std::max(largest, scale);
  squared_norm = std::max(squared_norm, scale * scale * static_cast<double>(got.size()));
  if (squared_norm == 0) squared_norm = largest = 1;
  result.frobenius = std::sqrt(squares / squared_norm);
  result.element /= largest;
  return result;
}

template <class Got, class Want>
::testing::AssertionResult near(std::span<const Got> got, std::span<const Want> want,
                                Tolerance tolerance, std::int64_t columns) {
  if (got.size() != want.size()) {
    return ::testing::AssertionFailure() << "got " << got.size() << " values, want " << want.size();
  }
  const Difference off = difference(got, want, tolerance.scale);
  if (off.frobenius <= tolerance.frobenius && off.element <= tolerance.element) {
    return ::testing::AssertionSuccess();
  }
  ::testing::AssertionResult result = ::testing::AssertionFailure();
  result << "relative Frobenius error " << off.frobenius << " (may be " << tolerance.frobenius
         << "), worst element " << off.element << " of the largest (may be " << tolerance.element
         << ") of " << got.size() << " values; around the worst:";
  const std::size_t first = off.worst < 2 ? 0 : off.worst - 2;
  for (std::size_t i = first; i < std::min(first + 5, got.size()); ++i) {
    result << "\n  [" << i;
    if (columns > 0) result << " = row " << i / columns << ", column " << i % columns;
    result << "] got " << +got[i] << ", want " << +want[i]
           << (i == off.worst ? "   <-- worst" : "");
  }
  return result;
}

}  // namespace detail

// got, want: vectors or spans of any real types; `columns`, when given, is for the message.
template <class Got, class Want>
::testing::AssertionResult near(const Got& got, const Want& want, Tolerance tolerance,
                                std::int64_t columns = 0) {
  const std::span got_span(got);
  const std::span want_span(want);
  using GotValue = std::remove_cv_t<typename decltype(got_span)::element_type>;
  using WantValue = std::remove_cv_t<typename decltype(want_span)::element_type>;
  return detail::near<GotValue, WantValue>(got_span, want_span, tolerance, columns);
}

}  // namespace m2st::test
