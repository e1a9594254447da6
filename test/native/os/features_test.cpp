// The probes: every feature named once, with words only where something is missing.
#include "os/features.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "support/network_namespace.h"

using namespace sluice;

namespace {

const os::Feature& named(const std::vector<os::Feature>& features, std::string_view name) {
  const auto found = std::find_if(features.begin(), features.end(),
                                  [&](const os::Feature& f) { return f.name == name; });
  REQUIRE(found != features.end());
  return *found;
}

}  // namespace

TEST_CASE("every feature is probed once, and explained exactly when it is missing") {
  const auto features = os::probe_features();
  std::set<std::string_view> names;
  for (const os::Feature& feature : features) {
    CAPTURE(feature.name);
    CHECK(names.insert(feature.name).second);
    CHECK(feature.available == feature.detail.empty());
  }
  CHECK(names.size() == 10);
}

TEST_CASE("a probe that is repeated says the same and leaves no descriptor open") {
  const auto lowest_free = [] {
    const os::Fd fd(::dup(0));
    return fd.get();
  };
  const int before = lowest_free();
  const auto first = os::probe_features();
  const auto second = os::probe_features();
  CHECK(lowest_free() == before);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); i++) {
    CHECK(first[i].available == second[i].available);
    CHECK(first[i].detail == second[i].detail);
  }
}

TEST_CASE("splice, groups of listeners and UDP batches are found on a Linux that has them") {
  const auto features = os::probe_features();
  for (const char* name : {"splice", "reuse_port", "udp_segment", "udp_gro", "bind_address_no_port",
                           "tcp_user_timeout"}) {
    CAPTURE(name);
    CHECK(named(features, name).available);
  }
}

TEST_CASE("the probes follow the sysctls of ping and of request migration") {
  test::in_network_namespace([] {
    test::write_sysctl("/proc/sys/net/ipv4/ping_group_range", "1 0");
    test::write_sysctl("/proc/sys/net/ipv4/tcp_migrate_req", "0");
    auto features = os::probe_features();
    CHECK(!named(features, "ping_ipv4").available);
    CHECK(named(features, "ping_ipv4").detail.find("ping_group_range") != std::string::npos);
    CHECK(!named(features, "tcp_migrate_requests").available);
    test::write_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    test::write_sysctl("/proc/sys/net/ipv4/tcp_migrate_req", "1");
    features = os::probe_features();
    CHECK(named(features, "ping_ipv4").available);
    CHECK(named(features, "ping_ipv6").available);
    CHECK(named(features, "tcp_migrate_requests").available);
  });
}
