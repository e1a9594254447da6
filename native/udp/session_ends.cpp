// Reads a session's key back into addresses.
#include "udp/session_ends.h"

#include <cstring>

#include "os/socket.h"
#include "udp/udp_listener.h"

namespace sluice::udp {

os::ClientAddress client_of(const SessionKey& key) {
  constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  os::ClientAddress client;
  std::memcpy(client.ip, key.client_ip, sizeof(client.ip));
  client.scope_id = key.scope_id;
  client.port = key.client_port;
  const bool mapped = std::memcmp(client.ip, kMappedPrefix, sizeof(kMappedPrefix)) == 0;
  client.family = mapped ? AF_INET : AF_INET6;
  return client;
}

os::ClientAddress destination_of(const SessionKey& key, const ListenerSocket& socket) {
  const os::Address local = os::local_address(socket.fd);
  os::ClientAddress destination = os::ClientAddress::from(local.get(), local.bytes());
  if (socket.wildcard) std::memcpy(destination.ip, key.local_ip, sizeof(destination.ip));
  return destination;
}

}  // namespace sluice::udp
