# What tools/gpu_check.sh runs and tools/gpu_bundle.sh packs, so that neither knows of more than the
# other: paths in a build folder, the program itself aside. Read by both with `.`, not run.
gpu_tests="tests/test_cuda tests/test_kernels_cuda tests/test_training_cuda tests/test_cluster_cuda"
gpu_benchmarks="bench/bench_kernels bench/bench_epoch bench/bench_cluster"
gpu_programs="m2st $gpu_tests $gpu_benchmarks"
gpu_scripts="tools/gpu_check.sh tools/gpu_programs.sh tools/gpu_report.py"
# Folders of the data beside the tree that these tests read, where there is any.
gpu_data="golden/tiny golden/cluster data/starmap_m2st"
