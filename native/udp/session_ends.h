// The two ends of a session, from its key, in the form that policies make keys of.
#pragma once

#include "os/address.h"
#include "udp/session.h"

namespace sluice::udp {

struct ListenerSocket;

[[nodiscard]] os::ClientAddress client_of(const SessionKey& key);
// Where the client sent to: the socket's own address, or on a wildcard bind what the datagram says.
// Asks the kernel.
[[nodiscard]] os::ClientAddress destination_of(const SessionKey& key, const ListenerSocket& socket);

}  // namespace sluice::udp
