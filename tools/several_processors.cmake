# The engine and its kernels as a shared library that is built once for each of several processors.
# The loader picks the best at start, in folders of a fixed name beside the first (glibc 2.33 or newer;
# an older one takes the first everywhere), so no call in the program asks for the processor:
#   lib/libm2st_kernels.so
#   lib/glibc-hwcaps/x86-64-v4/libm2st_kernels.so
file(GLOB m2st_kernel_library_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/*.cpp
  ${PROJECT_SOURCE_DIR}/kernels/cpu/*.cpp)

# `target` and, for every processor after the first, target_<processor>; `folder` is where they lie.
function(m2st_kernels_of_processors target folder)
  foreach(processor IN LISTS ARGN)
    if(processor STREQUAL "${ARGV2}")
      set(name ${target})
      set(place ${folder})
    elseif(processor MATCHES "^x86-64-v[234]$")
      set(name ${target}_${processor})
      set(place ${folder}/glibc-hwcaps/${processor})
    else()
      message(FATAL_ERROR "M2ST_ARCH: the loader tells x86-64-v2, x86-64-v3 and x86-64-v4 apart, not "
        "'${processor}'; name the least processor first, then some of these: "
        "-DM2ST_ARCH='x86-64-v3;x86-64-v4'.")
    endif()
    add_library(${name} SHARED ${m2st_kernel_library_sources})
    set_target_properties(${name} PROPERTIES OUTPUT_NAME m2st_kernels M2ST_PROCESSOR ${processor}
      LIBRARY_OUTPUT_DIRECTORY ${place})
    target_link_libraries(${name} PUBLIC m2st_options PRIVATE Eigen3::Eigen)
    # Instances of templates that the program has too are this library's own, for its processor.
    target_link_options(${name} PRIVATE -Wl,-Bsymbolic-functions)
    if(NOT name STREQUAL target)
      add_dependencies(${target} ${name})
    endif()
  endforeach()
endfunction()
