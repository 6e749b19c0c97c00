# The CUDA backend: its compiler, its flags, one library. Included only with M2ST_CUDA=ON, so that
# the CPU build never looks for a toolkit.
find_program(M2ST_NVCC nvcc
  HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin
  DOC "The CUDA compiler")
if(NOT M2ST_NVCC)
  message(FATAL_ERROR "The CUDA backend (M2ST_CUDA=ON, preset cuda) needs the CUDA toolkit 13, and no "
    "nvcc was found on PATH, in $CUDA_HOME/bin or in /usr/local/cuda/bin. Install the toolkit, name "
    "its compiler with -DM2ST_NVCC=/path/to/nvcc, or build the CPU backend alone (preset cpu).")
endif()
set(CMAKE_CUDA_COMPILER ${M2ST_NVCC})
# Named, because "native" fails where there is no GPU: 80 is A100, 90 is H100 and H200.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
if(M2ST_CCACHE)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${M2ST_CCACHE})
endif()
enable_language(CUDA)

file(GLOB cuda_sources CONFIGURE_DEPENDS engine/*.cu kernels/cuda/*.cu)
add_library(m2st_cuda STATIC ${cuda_sources})
set_target_properties(m2st_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static)
# -std by hand: CMake 3.25 does not know nvcc's C++20 dialect, and CUDA_STANDARD 20 fails. ptxas
# says so when a kernel spills registers or uses local memory. Warning 554 is wrong about conversions
# that a requires-clause takes away.
target_compile_options(m2st_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20
  -Xcompiler=-Wall,-Wextra,-Wno-psabi -Xptxas=-warn-spills,-warn-lmem-usage
  --diag-suppress=554>)
target_link_libraries(m2st_cuda PUBLIC m2st_engine ${CMAKE_DL_LIBS})

# Whole jobs run on it: Context (engine/context.h) has both backends where this is set.
target_compile_definitions(m2st_options INTERFACE M2ST_WITH_CUDA)
foreach(floor data autograd cluster)
  target_link_libraries(m2st_${floor} PUBLIC m2st_cuda)
endforeach()
