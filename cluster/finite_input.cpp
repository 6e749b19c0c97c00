// One pass decides; the place is looked for only when there is one.
#include "cluster/finite_input.h"

#include <algorithm>
#include <cmath>

#include "engine/check.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

void check_finite(CpuContext& context, const std::string& what, MatrixView<const float> x) {
  if (kernels::all_finite<float>(context, x.span())) return;
  const auto values = x.span();
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  const std::int64_t place = bad - values.begin();
  fail(ExitCode::kInputInvalid, "clustering: ", what, " holds ", *bad, " at cell ", place / x.cols,
       ", column ", place % x.cols, " (counted from 0); every value must be a finite number");
}

}  // namespace m2st::cluster
