// How a connection ends: cleanly, by a reset, or after what is still underway has been delivered;
// and the bookkeeping that every end goes through exactly once.
#pragma once

#include "shared/layout.h"
#include "tcp/tcp_connection.h"

namespace sluice::tcp {

enum class Farewell : uint8_t {
  fin,    // close(): what was written is still delivered by the kernel
  reset,  // RST: the other end must not take what it got for the whole
};

// Closes both sockets, counts, records, and puts the connection on the list of those to be freed.
// `reason` counts unless one had been decided before.
void end_connection(TcpContext& context, TcpConnection& connection, shared::CloseReason reason,
                    Farewell farewell);

// For one that there was no room to keep: `connection` is the caller's own, in no list.
void refuse_connection(TcpContext& context, TcpConnection& connection, shared::CloseReason reason);

// The connection is cut by us (timeout, operator, shutdown). A side that would miss bytes sees a
// reset, one that has everything a FIN.
void cut_connection(TcpContext& context, TcpConnection& connection, shared::CloseReason reason);

enum class Survivor : uint8_t { client, target };

// One side has gone with an error: the survivor gets what was received before, then a reset.
void begin_resetting(TcpContext& context, TcpConnection& connection, Survivor survivor,
                     shared::CloseReason reason);
// One side had sent FIN and takes nothing more, the survivor has been sent FIN and still sends.
void begin_lingering(TcpContext& context, TcpConnection& connection, Survivor survivor,
                     shared::CloseReason reason);

// For a connection that is resetting or lingering: an event on the survivor's socket; the timer.
void survivor_event(TcpContext& context, TcpConnection& connection, uint32_t events);
void check_delivery(TcpContext& context, TcpConnection& connection);

}  // namespace sluice::tcp
