// Config text in ASCII, the only kind that toml++ (3.3) may be given: on characters beyond, where
// TOML has no use for them, its tables of Unicode run into undefined behaviour.
#pragma once

#include <string>
#include <string_view>

namespace m2st::apps {

// Every byte beyond ASCII, and '~', becomes '~' and two hexadecimal digits; a mark of the order of
// bytes in front goes. Line breaks stay where they are, and outside of strings and comments '~' is
// an error to any parser of TOML.
std::string in_ascii(std::string_view text);

// What in_ascii was given. A '~' without digits behind it stays.
std::string from_ascii(std::string_view text);

// The line, from 1, of the first escape that a parser turns into '~' (\u007E), which from_ascii
// would then take for its own; 0 when there is none.
int line_of_escaped_tilde(std::string_view text);

}  // namespace m2st::apps
