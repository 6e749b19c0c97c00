// Which of the formats in HDF5 a file is, told by the names of what it holds.
#include <initializer_list>

#include "data/io/hdf5_formats.h"
#include "data/io/names.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

bool has_all(const Hdf5Object& group, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (!group.has_child(name)) return false;
  }
  return group.is_group();
}

bool is_tenx2(Hdf5Source& source) {
  for (const std::string& child : source.object("/").children) {
    const Hdf5Object& group = source.object("/" + child);
    if (has_all(group, {"barcodes", "data", "genes", "indices", "indptr"})) return true;
  }
  return false;
}

}  // namespace

Hdf5Format hdf5_format(Hdf5Source& source) {
  const Hdf5Object& root = source.object("/");
  const std::string& path = source.path();
  if (has_all(root, {"mod"}) || root.text("encoding-type") == "MuData") {
    fail(ExitCode::kInputInvalid, path,
         ": is MuData; save the modality to use: "
         "mdata['rna'].write_h5ad('rna.h5ad')");
  }
  if (has_all(root, {"row_attrs", "col_attrs"})) {
    fail(ExitCode::kInputInvalid, path,
         ": is a loom file; convert it: "
         "scanpy.read_loom('a.loom').write_h5ad('a.h5ad')");
  }
  if (has_all(root, {"obs", "var"})) return Hdf5Format::kH5ad;
  if (has_all(source.object("/matrix"), {"barcodes", "data", "indices", "indptr", "shape"})) {
    return Hdf5Format::kTenx3;
  }
  if (root.has_child("cellBin")) return Hdf5Format::kCellGef;
  if (root.has_child("geneExp")) return Hdf5Format::kGef;
  if (is_tenx2(source)) return Hdf5Format::kTenx2;
  fail(ExitCode::kInputInvalid, path,
       ": is HDF5, but neither .h5ad (obs and var) nor 10x (matrix) ",
       "nor GEF (geneExp); it holds: ",
       root.children.empty() ? "nothing" : listed(root.children, 30));
}

}  // namespace m2st::data
