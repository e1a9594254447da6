// Address and ClientAddress: conversions from and to the kernel's forms, and text.
#include "os/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>

namespace sluice::os {

namespace {

constexpr socklen_t kUnixPathOffset = offsetof(sockaddr_un, sun_path);
constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The kernel's storage is read through copies: a sockaddr may sit anywhere in a message buffer.
template <typename T>
T copy_as(const sockaddr* address, socklen_t bytes) {
  T out{};
  std::memcpy(&out, address, std::min<size_t>(bytes, sizeof(T)));
  return out;
}

}  // namespace

ClientAddress ClientAddress::from(const sockaddr* address, socklen_t bytes) {
  ClientAddress client;
  if (address == nullptr || bytes < sizeof(sa_family_t)) return client;
  const auto family = copy_as<sa_family_t>(address, bytes);
  if (family == AF_INET && bytes >= sizeof(sockaddr_in)) {
    const auto v4 = copy_as<sockaddr_in>(address, bytes);
    std::memcpy(client.ip, kMappedPrefix, sizeof(kMappedPrefix));
    std::memcpy(client.ip + sizeof(kMappedPrefix), &v4.sin_addr, sizeof(v4.sin_addr));
    client.port = ntohs(v4.sin_port);
    client.family = AF_INET;
  } else if (family == AF_INET6 && bytes >= sizeof(sockaddr_in6)) {
    const auto v6 = copy_as<sockaddr_in6>(address, bytes);
    std::memcpy(client.ip, &v6.sin6_addr, sizeof(client.ip));
    client.port = ntohs(v6.sin6_port);
    const bool mapped = std::memcmp(client.ip, kMappedPrefix, sizeof(kMappedPrefix)) == 0;
    client.family = mapped ? AF_INET : AF_INET6;
    client.scope_id = mapped ? 0 : v6.sin6_scope_id;
  } else if (family == AF_UNIX) {
    client.family = AF_UNIX;
  }
  return client;
}

Address Address::ipv4(std::span<const uint8_t, 4> ip, uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, ip.data(), ip.size());
  return from(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
}

Address Address::ipv6(std::span<const uint8_t, 16> ip, uint16_t port, uint32_t scope_id) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_scope_id = scope_id;
  std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
  return from(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
}

std::optional<Address> Address::unix_path(std::string_view path) {
  // "@" alone would ask the kernel to choose a name ("autobind"), which nobody could configure.
  if (path.empty() || path == "@" || path.find('\0') != std::string_view::npos) return std::nullopt;
  const bool abstract = path.front() == '@';
  sockaddr_un un{};
  // A file system path carries its terminating zero; an abstract name is its length.
  const size_t bytes = abstract ? path.size() : path.size() + 1;
  if (bytes > sizeof(un.sun_path)) return std::nullopt;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  if (abstract) un.sun_path[0] = '\0';
  return from(reinterpret_cast<const sockaddr*>(&un),
              static_cast<socklen_t>(kUnixPathOffset + bytes));
}

Address Address::from(const sockaddr* address, socklen_t bytes) {
  Address out;
  if (address == nullptr || bytes < sizeof(sa_family_t)) return out;
  out.bytes_ = std::min<socklen_t>(bytes, sizeof(out.storage_));
  std::memcpy(&out.storage_, address, out.bytes_);
  return out;
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(copy_as<sockaddr_in>(get(), bytes_).sin_port);
  if (family() == AF_INET6) return ntohs(copy_as<sockaddr_in6>(get(), bytes_).sin6_port);
  return 0;
}

void Address::set_port(uint16_t port) {
  const uint16_t wire = htons(port);
  // The port sits at the same place in both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  if (family() == AF_INET || family() == AF_INET6) {
    std::memcpy(reinterpret_cast<char*>(&storage_) + offsetof(sockaddr_in, sin_port), &wire,
                sizeof(wire));
  }
}

bool Address::is_wildcard() const {
  if (family() == AF_INET) return copy_as<sockaddr_in>(get(), bytes_).sin_addr.s_addr == 0;
  if (family() == AF_INET6) {
    const auto v6 = copy_as<sockaddr_in6>(get(), bytes_);
    return std::memcmp(&v6.sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0;
  }
  return false;
}

std::string Address::text() const {
  char ip[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    const auto v4 = copy_as<sockaddr_in>(get(), bytes_);
    ::inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip));
    return std::string(ip) + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    const auto v6 = copy_as<sockaddr_in6>(get(), bytes_);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof(ip));
    const std::string scope = v6.sin6_scope_id == 0 ? "" : "%" + std::to_string(v6.sin6_scope_id);
    return "[" + std::string(ip) + scope + "]:" + std::to_string(port());
  }
  if (family() == AF_UNIX && bytes_ > kUnixPathOffset) {
    const auto un = copy_as<sockaddr_un>(get(), bytes_);
    std::string_view path(un.sun_path, bytes_ - kUnixPathOffset);
    if (path.front() == '\0') return "unix:@" + std::string(path.substr(1));
    return "unix:" + std::string(path.substr(0, path.find('\0')));
  }
  return family() == AF_UNIX ? "unix:" : "none";
}

}  // namespace sluice::os
