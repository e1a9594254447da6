// The response time of a target: up at once, down slowly, never to "not measured".
#include "shared/response_time.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace sluice::shared {
namespace {

TEST_CASE("a slower answer counts at once, a faster one by an eighth of the difference") {
  CHECK(after_response(0, 500) == 500);
  CHECK(after_response(500, 9000) == 9000);
  CHECK(after_response(9000, 1000) == 8000);
  CHECK(after_response(9000, 9000) == 9000);
}

TEST_CASE("a row of equal answers becomes the response time, from above and from below") {
  for (const uint32_t start : {0U, 1U, 40'000'000U}) {
    uint32_t known = start;
    for (int i = 0; i < 300; i++) known = after_response(known, 700);
    CHECK(known == 700);
  }
}

TEST_CASE("answers quicker than a microsecond and slower than a minute stay within bounds") {
  CHECK(after_response(0, 0) == 1);
  CHECK(after_response(0, UINT64_MAX) == kResponseUsMax);
  CHECK(after_response(2, 0) == 1);
  CHECK(after_response(1, 0) == 1);
}

TEST_CASE("a failure looks slow however fast it was, and slower with each one more") {
  CHECK(after_failure(0) == kFailureUs);
  CHECK(after_failure(90) == kFailureUs);
  uint32_t known = 200;
  for (uint32_t before = 0; known < kResponseUsMax; known = after_failure(known)) {
    CHECK(known > before);
    before = known;
  }
  CHECK(after_failure(kResponseUsMax) == kResponseUsMax);
}

TEST_CASE("silence lowers a response time to a third in ten seconds, and never to 0") {
  uint32_t known = 1'000'000;
  for (int i = 0; i < 10; i++) known = after_silence(known);
  CHECK(known > 340'000);
  CHECK(known < 360'000);
  for (int i = 0; i < 1000; i++) known = after_silence(known);
  CHECK(known == 1);
  CHECK(after_silence(0) == 0);
}

}  // namespace
}  // namespace sluice::shared
