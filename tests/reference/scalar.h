// What lets one naive reference run on double and on std::complex<double>: comparisons look at the
// real part, so a complex step passes through branches. Inputs of tests stay off the kinks.
#pragma once

#include <complex>

namespace m2st::reference {

using Complex = std::complex<double>;

inline double real_of(double x) { return x; }
inline double real_of(const Complex& x) { return x.real(); }

}  // namespace m2st::reference
