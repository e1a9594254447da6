// Address: a socket address of any family that sluice forwards to or from, and ClientAddress, its
// compact form for connections and sessions (24 bytes, so that 64-byte records can carry it).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::os {

// An IPv4 or IPv6 endpoint. IPv4 is kept as v4-mapped IPv6, so that a client that reaches a
// dual-stack listener hashes and compares like the same client on an IPv4 listener.
// A client on a unix socket has no address: all zero.
struct ClientAddress {
  uint8_t ip[16] = {};
  uint32_t scope_id = 0;
  uint16_t port = 0;            // host byte order
  uint16_t family = AF_UNSPEC;  // AF_INET for v4-mapped too; AF_INET6; AF_UNIX

  [[nodiscard]] static ClientAddress from(const sockaddr* address, socklen_t bytes);
  friend bool operator==(const ClientAddress&, const ClientAddress&) = default;
};
static_assert(sizeof(ClientAddress) == 24);

class Address {
 public:
  Address() = default;
  [[nodiscard]] static Address ipv4(std::span<const uint8_t, 4> ip, uint16_t port);
  [[nodiscard]] static Address ipv6(std::span<const uint8_t, 16> ip, uint16_t port,
                                    uint32_t scope_id);
  // `path` may begin with '@' for Linux's abstract namespace; nullopt when it does not fit.
  [[nodiscard]] static std::optional<Address> unix_path(std::string_view path);
  [[nodiscard]] static Address from(const sockaddr* address, socklen_t bytes);

  [[nodiscard]] sa_family_t family() const { return storage_.ss_family; }
  [[nodiscard]] uint16_t port() const;  // 0 for unix
  void set_port(uint16_t port);
  [[nodiscard]] bool is_wildcard() const;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t bytes() const { return bytes_; }
  void set_bytes(socklen_t bytes) { bytes_ = bytes; }
  [[nodiscard]] std::string text() const;  // "127.0.0.1:80", "[::1]:80", "unix:/run/x"
  friend bool operator==(const Address& a, const Address& b) {
    return a.bytes_ == b.bytes_ && std::memcmp(&a.storage_, &b.storage_, a.bytes_) == 0;
  }

 private:
  sockaddr_storage storage_ = {};
  socklen_t bytes_ = 0;
};

}  // namespace sluice::os
