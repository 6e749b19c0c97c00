# Two commands matter: `make run` shows the program at work, `make test` proves it.
JOBS ?= $(shell nproc)
BUILD = build/cpu
PROGRAM = $(BUILD)/m2st

.PHONY: run test bench bench-check format lint build clean

build:
	@tools/setup.sh
	@cmake --preset cpu -DM2ST_TESTS=OFF > /dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target m2st

run: build
	@tools/demo.sh $(PROGRAM)

test:
	@tools/setup.sh
	@tools/setup_python.sh
	@cmake --preset cpu -DM2ST_TESTS=ON > /dev/null
	@cmake --build $(BUILD) -j $(JOBS)
	@cd $(BUILD) && ctest -j $(JOBS) --output-on-failure --no-tests=error

bench:
	@tools/setup.sh
	@cmake --preset bench > /dev/null
	@cmake --build build/bench -j $(JOBS)

# Is this revision slower than REV? ROUNDS, PROGRAMS and FILTER say how much is run.
bench-check:
	@tools/setup.sh
	@tools/bench_check.sh $(REV)

format:
	@tools/format.sh

lint:
	@tools/format.sh --check
	@tools/lint.sh

clean:
	@rm -rf build
