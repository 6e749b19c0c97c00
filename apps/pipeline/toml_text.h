// What toml++ (3.3) must not be given: characters beyond ASCII wherever it looks for blanks, on
// some of which its tables of Unicode run into undefined behaviour: outside of strings and
// comments, where TOML has no use for them, and behind a backslash in a string over several lines.
#pragma once

#include <string_view>

namespace m2st::apps {

// The line, from 1, of the first character beyond ASCII that is in no comment and no string on one
// line, of a quote, bracket or '=' in the middle of a value, or of a control character; 0 when
// there is none. Where the text is not TOML, right up to the first mistake.
int line_of_stray_character(std::string_view text);

}  // namespace m2st::apps
