// Addresses: text, comparison, and clients that are the same whatever socket they came by.
#include "os/address.h"

#include <doctest/doctest.h>

#include <string>

#include "support/loopback.h"

using namespace sluice;
using os::Address;
using os::ClientAddress;

namespace {

ClientAddress client_of(const Address& address) {
  return ClientAddress::from(address.get(), address.bytes());
}

}  // namespace

TEST_CASE("addresses read as people write them") {
  CHECK(test::v4(80).text() == "127.0.0.1:80");
  CHECK(test::any_v6(53).text() == "[::]:53");
  const uint8_t link_local[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK(Address::ipv6(link_local, 443, 3).text() == "[fe80::1%3]:443");
  CHECK(Address::unix_path("/run/sluice")->text() == "unix:/run/sluice");
  CHECK(Address::unix_path("@sluice")->text() == "unix:@sluice");
  CHECK(Address().text() == "none");
}

TEST_CASE("a port can be read and replaced, and a wildcard is known as one") {
  Address address = test::any_v4(0);
  CHECK(address.is_wildcard());
  address.set_port(65535);
  CHECK(address.port() == 65535);
  CHECK(address == test::any_v4(65535));
  CHECK(address != test::any_v4(1));
  CHECK(test::any_v6(1).is_wildcard());
  CHECK(!test::v4(0).is_wildcard());
  CHECK(!test::v6(0).is_wildcard());
  Address path = *Address::unix_path("/x");
  path.set_port(5);
  CHECK(path.port() == 0);
  CHECK(path == *Address::unix_path("/x"));
  CHECK(!path.is_wildcard());
}

TEST_CASE("a unix path that does not fit, is empty or holds a zero is refused") {
  CHECK(Address::unix_path(std::string(107, 'a')).has_value());
  CHECK(!Address::unix_path(std::string(108, 'a')).has_value());
  CHECK(Address::unix_path("@" + std::string(107, 'a')).has_value());
  CHECK(!Address::unix_path("@" + std::string(108, 'a')).has_value());
  CHECK(!Address::unix_path("").has_value());
  CHECK(!Address::unix_path("@").has_value());
  CHECK(!Address::unix_path(std::string("/a\0b", 4)).has_value());
}

TEST_CASE("a client is the same over an IPv4 and over a dual-stack listener") {
  const uint8_t ip[4] = {192, 0, 2, 7};
  const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
  const ClientAddress plain = client_of(Address::ipv4(ip, 1234));
  CHECK(plain == client_of(Address::ipv6(mapped, 1234, 0)));
  CHECK(plain.family == AF_INET);
  CHECK(plain.port == 1234);
  CHECK(plain.ip[12] == 192);
  CHECK(plain != client_of(Address::ipv4(ip, 1235)));
}

TEST_CASE("a link-local client keeps its interface, a unix client has no address") {
  const uint8_t link_local[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const ClientAddress client = client_of(Address::ipv6(link_local, 9, 3));
  CHECK(client.family == AF_INET6);
  CHECK(client.scope_id == 3);
  CHECK(client != client_of(Address::ipv6(link_local, 9, 4)));
  CHECK(client_of(*Address::unix_path("/x")).family == AF_UNIX);
  CHECK(client_of(*Address::unix_path("/x")).port == 0);
}

TEST_CASE("a short or missing sockaddr becomes no address and is not read beyond its end") {
  CHECK(ClientAddress::from(nullptr, 0) == ClientAddress());
  const sa_family_t only_family = AF_INET6;
  const auto* address = reinterpret_cast<const sockaddr*>(&only_family);
  CHECK(ClientAddress::from(address, sizeof(only_family)) == ClientAddress());
  CHECK(Address::from(address, 1).family() == AF_UNSPEC);
  // An unnamed unix socket is just its family.
  const sa_family_t unnamed = AF_UNIX;
  const auto* unix_client = reinterpret_cast<const sockaddr*>(&unnamed);
  CHECK(ClientAddress::from(unix_client, sizeof(unnamed)).family == AF_UNIX);
  CHECK(Address::from(unix_client, sizeof(unnamed)).text() == "unix:");
}
