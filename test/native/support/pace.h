// Time that passes on purpose in a test. Never a wait for something to happen: that is
// eventually(), which ends as soon as it has.
#pragma once

#include <chrono>
#include <thread>

namespace sluice::test {

// How fast a scripted peer acts: the pause is the behaviour that the test is about.
template <typename Rep, typename Period>
void pace(std::chrono::duration<Rep, Period> pause) {
  std::this_thread::sleep_for(pause);
}

// A window in which turns, CPU time or the like are measured, or in which nothing may happen.
template <typename Rep, typename Period>
void observe_for(std::chrono::duration<Rep, Period> window) {
  std::this_thread::sleep_for(window);
}

}  // namespace sluice::test
