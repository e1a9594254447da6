// The forecast of a UDP listener: the client's session, room for another one, the pick; in the
// order of a datagram (to_target_path.h), asked and not done.
#pragma once

#include "os/address.h"
#include "table/forecast.h"
#include "udp/session_store.h"
#include "udp/udp_listener.h"

namespace sluice::udp {

// Sessions that are looked at to find a client's where they cannot be found by key: on a wildcard
// bind the key has the address that the client used, and nobody has said which. A worker with more
// says that it has not looked: datagrams would wait for the walk.
inline constexpr uint32_t kSessionsSeenMax = 16384;

// `client.port` 0: not said, and then it has no session.
[[nodiscard]] table::Forecast forecast(const SessionStore& store, const UdpListener& listener,
                                       const os::ClientAddress& client);

}  // namespace sluice::udp
