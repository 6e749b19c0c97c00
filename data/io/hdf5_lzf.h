// The lzf filter that h5py compresses with (number 32000), which HDF5 itself does not bring.
#pragma once

namespace m2st::data {

// Again does nothing.
void register_lzf_filter();

}  // namespace m2st::data
