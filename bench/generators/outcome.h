// How a bench program ends: one line of JSON on standard output, or one sentence and exit code 1.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::bench {

struct Figure {
  std::string_view name;
  double value;
};

// Prints {"name":value,...} and a newline, and flushes.
void print_figures(std::initializer_list<Figure> figures);

// A mistake of the caller.
[[noreturn]] void stop(const std::string& sentence);
// A system call that the measurement cannot do without has failed; says errno.
[[noreturn]] void stop_on_error(std::string_view what);

// Ends the program unless `result` is at least 0; hands it back.
int must(int result, std::string_view what);

// Blocks SIGTERM and SIGINT and returns a descriptor that becomes readable when one arrives.
[[nodiscard]] int open_stop_signal();

}  // namespace sluice::bench
