// SIGINT and SIGTERM ask for a stop; the pipeline polls and leaves a checkpoint. A second one of
// the same kind ends the process at once.
#pragma once

namespace m2st::apps {

void watch_signals();
// SIGINT, SIGTERM, or 0.
int received_signal();

}  // namespace m2st::apps
