// Output of the bench programs.
#include "generators/outcome.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {

void print_figures(std::initializer_list<Figure> figures) {
  const char* separator = "{";
  for (const Figure& figure : figures) {
    std::printf("%s\"%.*s\":%.15g", separator, static_cast<int>(figure.name.size()),
                figure.name.data(), std::isfinite(figure.value) ? figure.value : 0.0);
    separator = ",";
  }
  std::printf("}\n");
  std::fflush(stdout);
}

void stop(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, sentence.c_str());
  std::exit(1);
}

void stop_on_error(std::string_view what) {
  stop(std::string(what) + ": " + std::strerror(errno));
}

int must(int result, std::string_view what) {
  if (result < 0) stop_on_error(what);
  return result;
}

int open_stop_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  must(sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
  return must(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
}

}  // namespace sluice::bench
