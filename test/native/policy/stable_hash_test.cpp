// The hashes that decide which client goes where, pinned: a change of any of these numbers moves
// clients between targets in every installation, and splits instances of different versions.
#include "policy/stable_hash.h"

#include <doctest/doctest.h>

#include "policy/maglev.h"
#include "support/policy_fixture.h"

namespace sluice::policy {
namespace {

constexpr uint8_t kIpv4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 77};
constexpr uint8_t kIpv6[16] = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

TEST_CASE("names hash by FNV-1a") {
  // From the FNV authors' test vectors.
  CHECK(name_hash("") == 0xcbf29ce484222325U);
  CHECK(name_hash("a") == 0xaf63dc4c8601ec8cU);
  CHECK(name_hash("foobar") == 0x85944171f73967e8U);
}

TEST_CASE("mix64 is the finaliser of splitmix64") {
  // The first outputs of splitmix64 with seed 0, which are in many libraries' tests.
  CHECK(mix64(kGoldenGamma) == 0xe220a8397b1dcdafU);
  CHECK(mix64(2 * kGoldenGamma) == 0x6e789e6aa1b965f4U);
  CHECK(mix64(3 * kGoldenGamma) == 0x06c45d188009454fU);
}

TEST_CASE("an address key counts leading bits only") {
  CHECK(Key::from(kIpv4, 128).low == 0x0000'ffff'c000'024dU);
  CHECK(Key::from(kIpv4, 96 + 24).low == 0x0000'ffff'c000'0200U);
  CHECK(Key::from(kIpv4, 96).low == 0x0000'ffff'0000'0000U);
  CHECK(Key::from(kIpv6, 64).high == 0x2001'0db8'0102'0304U);
  CHECK(Key::from(kIpv6, 64).low == 0);
  CHECK(Key::from(kIpv6, 56).high == 0x2001'0db8'0102'0300U);
  CHECK(Key::from(kIpv6, 0).high == 0);
  CHECK(Key::from(kIpv6, 65).low == 0);
  CHECK(Key::from(kIpv6, 128).low == 0x0506'0708'090a'0b0cU);
  CHECK(Key::from(kIpv6, 127).low == 0x0506'0708'090a'0b0cU);
  CHECK(Key::from(kIpv6, 126).low == 0x0506'0708'090a'0b0cU);
  CHECK(Key::from(kIpv6, 125).low == 0x0506'0708'090a'0b08U);
}

// Worked out a second time, in another language, from the description in stable_hash.h.
TEST_CASE("the hashes of addresses and names are what they have always been") {
  CHECK(Key::from(kIpv4, 128).hash(0) == 0xee01a98c3bb9f4f0U);
  CHECK(Key::from(kIpv4, 128).hash(1) == 0x815d6883065fb531U);
  CHECK(Key::from(kIpv6, 128).hash(0) == 0xcb55ba87ec74913eU);
  CHECK(Key::from(kIpv6, 128).hash(15) == 0x6cf78b550035e75cU);
  CHECK(seeded_hash(name_hash("redis-1"), 1) == 0x207a5add0a14c09eU);
  CHECK(seeded_hash(name_hash("redis-1"), 2) == 0xac9e6b64766c4bd9U);
}

}  // namespace
}  // namespace sluice::policy
