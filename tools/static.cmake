# Programs for machines that have none of these libraries: archives wherever Debian has any. What it has
# in no other form stays shared, and so does libstdc++, of which there can be one only between a program
# and its processors' kernels: tools/gpu_bundle.sh lays them beside the programs. glibc and the driver
# are the machine's.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
set(M2ST_QHULL_ARCHIVE qhullstatic_r)
# An archive does not say what it calls; the shared library would bring Kerberos and LDAP along.
foreach(name sz aec z)
  find_library(M2ST_HDF5_NEEDS_${name} ${name} REQUIRED)
  list(APPEND M2ST_HDF5_NEEDS ${M2ST_HDF5_NEEDS_${name}})
endforeach()
list(APPEND M2ST_HDF5_NEEDS ${CMAKE_DL_LIBS})
# A program's folder of libraries is then theirs too, when they look for one another.
add_link_options(LINKER:--disable-new-dtags)
