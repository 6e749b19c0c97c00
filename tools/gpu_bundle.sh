#!/bin/sh
# Packs what tools/gpu_check.sh needs into one folder, for a machine that has an NVIDIA driver but no
# toolkit, no compiler and none of the libraries (docs/gpu.md, "Without a toolkit"):
#   tools/gpu_bundle.sh [FOLDER]      here: builds preset cuda-static, fills FOLDER (build/bundle)
#   FOLDER/tools/gpu_check.sh         there: as ever, but for the build
# ARCHITECTURES, as CMAKE_CUDA_ARCHITECTURES, are the GPU's (90-real: sm_90 and no PTX, because figures of
# what a driver compiles are not this program's); JOBS compilers run at a time. FOLDER is replaced as
# a whole, but only if it is a bundle, empty or absent. It holds data of the folder beside the tree, too:
# whoever passes it on passes that on.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/bundle}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$root"
. tools/gpu_programs.sh
build=build/cuda-static
gpu=$folder/build/gpu
architectures=${ARCHITECTURES:-90-real}

if [ ! -f "$folder/bundle.json" ] && [ -n "$(ls -A "$folder")" ]; then
  echo "gpu_bundle: $folder is no bundle and not empty; name another folder" >&2
  exit 2
fi

cmake --preset cuda-static -DCMAKE_CUDA_ARCHITECTURES="$architectures" > /dev/null
# shellcheck disable=SC2046,SC2086
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target $(basename -a $gpu_programs)

rm -rf "$folder"
for script in $gpu_scripts; do
  mkdir -p "$(dirname "$folder/$script")"
  cp "$script" "$folder/$script"
done
for data in $gpu_data; do
  [ -d "../shared/$data" ] || continue
  mkdir -p "$folder/shared/$data"
  cp -r "../shared/$data/." "$folder/shared/$data"
done
chmod -R u+w "$folder"

# Names of functions go, but for those that libraries and programs find each other by.
pack() {
  mkdir -p "$(dirname "$gpu/$1")"
  strip -o "$gpu/$1" "$build/$1"
}
for program in $gpu_programs; do
  pack "$program"
done
(cd "$build" && find lib -name 'libm2st_kernels.so') > "$folder/kernels.txt"
while read -r kernels; do
  pack "$kernels"
done < "$folder/kernels.txt"
rm "$folder/kernels.txt"

# Programs look for libraries in lib beside them. glibc's parts have to be of one version with its
# loader, which is the machine's.
for program in $gpu_programs; do
  ldd "$build/$program"
done | awk '$3 ~ /^\// { print $3 }' | sort -u | while read -r library; do
  case $(basename "$library") in
    libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | libm2st_kernels.so) ;;
    *) cp -L "$library" "$gpu/lib" ;;
  esac
done
glibc=$(find "$gpu" -type f -exec objdump -T {} + | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)

printf '{"revision": "%s", "architectures": "%s", "needs": "%s"}\n' \
  "$(git rev-parse HEAD 2> /dev/null || echo unknown)" "$architectures" "$glibc" \
  > "$folder/bundle.json"
echo "gpu_bundle: $folder holds $(du -sm "$folder" | cut -f 1) MiB, needs $glibc" >&2
