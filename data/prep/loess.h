// Local regression of degree 2 in one variable, as netlib's dloess (Cleveland and Grosse,
// Computational methods for local regression, 1991) computes it by default and scikit-misc wraps
// it: fitted at the vertices of a k-d tree, blended between them.
#pragma once

#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// The fitted value at every x[i]. 0 < span <= 1 is the share of points in a neighbourhood. x and y
// finite. Neighbourhoods too poor for a parabola (many equal x) get the fit of least norm, where
// the original gives up.
std::vector<double> loess(CpuContext& context, Span<const double> x, Span<const double> y,
                          double span);

}  // namespace m2st::data
