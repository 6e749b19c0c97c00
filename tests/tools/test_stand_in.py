#!/usr/bin/env python3
"""The stand-ins for CUDA's headers say what the toolkit's say, wherever there is a toolkit.

test_stand_in.py ROOT COMPILER: turns every function, enumerator and constant of the stand-ins into an assertion
and compiles them against the toolkit's headers.
"""
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77
CUBLASLT_STRUCTS = ["sizeof(cublasLtMatmulAlgo_t) == 64", "sizeof(cublasLtMatmulHeuristicResult_t) == 96",
                    "offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize) == 64",
                    "offsetof(cublasLtMatmulHeuristicResult_t, state) == 72"]


def toolkit_headers():
    places = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    for place in filter(None, places):
        if (pathlib.Path(place) / "include/cuda_runtime_api.h").exists():
            return pathlib.Path(place) / "include"
    return None


def assertions(text):
    text = re.sub(r"//[^\n]*", "", text)
    for result, name, parameters in re.findall(r"(cudaError_t|cublasStatus_t|const char\*|std::size_t) "
                                               r"(cuda\w+|cublas\w+)\(([^)]*)\);", text):
        types = [re.sub(r"(\w+)$", "", part.strip()) for part in parameters.split(",") if part.strip()]
        yield f"std::is_same_v<decltype(static_cast<{result} (*)({', '.join(types)})>(&{name})), {result} (*)({', '.join(types)})>"
    for name, value in re.findall(r"\b(cuda\w+|CUDA_\w+|CUBLAS\w+) = (\d+)", text):
        yield f"{name} == {value}"
    for name, value in re.findall(r"#define (cuda\w+) (0x\w+)", text):
        yield f"{name} == {value}"
    for bytes_, name in re.findall(r"struct alignas\((\d+)\) (\w+)", text):
        yield f"alignof({name}) == {bytes_}"


def main():
    root, compiler, headers = pathlib.Path(sys.argv[1]), sys.argv[2], toolkit_headers()
    if headers is None:
        print("skipped: there is no CUDA toolkit here")
        return SKIPPED
    folder = root / "tests/simt/include"
    claims = [claim for name in ["cuda_runtime_api.h", "vector_types.h"]
              for claim in assertions((folder / name).read_text())]
    lines = ["#include <cuda_runtime_api.h>", "#include <cstddef>", "#include <cstdint>",
             "#include <type_traits>"]
    if (headers / "cublasLt.h").exists():
        lines.append("#include <cublasLt.h>")
        claims += list(assertions((folder / "cublasLt.h").read_text())) + CUBLASLT_STRUCTS
    lines += [f"static_assert({claim});" for claim in claims]
    done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-I", headers, "-x", "c++", "-"],
                          input="\n".join(lines), text=True, capture_output=True)
    print(done.stderr or f"{len(claims)} claims hold")
    return 1 if done.returncode != 0 or len(claims) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
