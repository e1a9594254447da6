// Admission: from an accepted socket to a connection on its way to a target.
#pragma once

#include "os/accept.h"
#include "table/table.h"
#include "tcp/connector.h"
#include "tcp/tcp_connection.h"

namespace sluice::tcp {

// `accepted` holds a socket, and the caller has counted it in the listener's `active`.
void admit(TcpContext& context, const table::Listener& listener, os::AcceptResult accepted);
// One was accepted and reset because no descriptor was left; counted like any other.
void note_refusal(TcpContext& context, const table::Listener& listener);

// What follows from a connector's answer. A connection that reaches no target ends with RST: a
// clean end would look like an empty answer, and with unread input close() would be a reset anyway.
void after_connect(TcpContext& context, TcpConnection& connection, ConnectProgress progress);

// An event on the client's socket while its target is being reached. Its bytes wait in the kernel,
// a FIN too (the target will get it); only a reset ends the try.
void client_event_while_connecting(TcpContext& context, TcpConnection& connection, uint32_t events);
// The same while it waits or backs off: nothing is under way for it, so one that has left ends too.
void client_event_while_waiting(TcpContext& context, TcpConnection& connection, uint32_t events);
// A client that has sent FIN and nothing else has gone, as far as anybody can tell. One that has
// sent something may be half-closed and read on.
[[nodiscard]] bool client_has_left(const TcpConnection& connection);

}  // namespace sluice::tcp
