// The first moments of a connection.
#include "tcp/admission.h"

#include <cerrno>
#include <utility>

#include "os/socket.h"
#include "tcp/connection_end.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

using shared::CloseReason;

namespace {

void describe(TcpContext& context, TcpConnection& connection, const table::Listener& listener,
              os::AcceptResult accepted) {
  connection.kind = static_cast<uint8_t>(shared::TimerKind::tcp_connection);
  connection.client.fd = std::move(accepted.fd);
  connection.client.read_to_end = accepted.client.family == AF_UNIX;
  connection.client_address = accepted.client;
  connection.accepted_ns = context.now_ns();
  connection.changed_ns = context.now_ns();
  connection.listener_slot = listener.slot;
  connection.pool_slot = static_cast<uint16_t>(context.table->pools[listener.pool_index].slot);
  connection.connecting.pool_tenancy = context.pool_tenancy(connection.pool_slot);
  connection.access_log = listener.access_log;
  connection.connect_timeout_ms = listener.connect_timeout_ms;
  connection.idle_timeout_ms = listener.idle_timeout_ms;
  connection.half_close_timeout_ms = listener.half_close_timeout_ms;
  connection.lifetime_ms = listener.lifetime_ms;
  connection.to_target.keep_kib = listener.replay_kib;
  shared::add(context.listener_row(connection).connections_opened, 1);
  shared::add(context.links.counters.connections_open, 1);
}

// Neither in the kernel nor kept for another target (replay.h).
bool sent_nothing_yet(const TcpConnection& connection) {
  return !connection.to_target.holds_unsent() && os::unread_bytes(connection.client.fd.get()) == 0;
}

}  // namespace

void admit(TcpContext& context, const table::Listener& listener, os::AcceptResult accepted) {
  TcpConnection* taken = context.connections.take();
  if (taken == nullptr) {
    TcpConnection refused;
    describe(context, refused, listener, std::move(accepted));
    refuse_connection(context, refused, CloseReason::limit);
    return;
  }
  TcpConnection& connection = *taken;
  describe(context, connection, listener, std::move(accepted));
  context.open.push_back(connection);
  context.open_count++;
  const auto token =
      os::EpollToken::of(&connection, static_cast<uint8_t>(shared::TokenKind::tcp_client));
  if (context.links.epoll.add(connection.client.fd.get(), kSideEvents, token).failed()) {
    end_connection(context, connection, CloseReason::local_error, Farewell::reset);
    return;
  }
  after_connect(context, connection, connect_to_target(context, connection));
}

void note_refusal(TcpContext& context, const table::Listener& listener) {
  TcpConnection refused;
  describe(context, refused, listener, {});
  context.links.listener_active[listener.slot].fetch_add(1, std::memory_order_relaxed);
  refuse_connection(context, refused, CloseReason::local_error);
}

void after_connect(TcpContext& context, TcpConnection& connection, ConnectProgress progress) {
  switch (progress) {
    case ConnectProgress::pending:
      return;
    case ConnectProgress::connected:
      begin_forwarding(context, connection);
      return;
    case ConnectProgress::failed:
      end_connection(context, connection, connection.reason, Farewell::reset);
      return;
  }
}

void client_event_while_connecting(TcpContext& context, TcpConnection& connection,
                                   uint32_t events) {
  connection.client.note(events);
  // A unix client that has closed reports a hangup too, but what it sent may be wanted.
  if (connection.client_address.family == AF_UNIX) return;
  if ((events & (EPOLLERR | EPOLLHUP)) == 0) return;
  const bool vanished = os::take_error(connection.client.fd.get()) == ETIMEDOUT;
  end_connection(context, connection,
                 vanished ? CloseReason::peer_timeout : CloseReason::client_reset, Farewell::reset);
}

bool client_has_left(const TcpConnection& connection) {
  return connection.client.fin_received && sent_nothing_yet(connection);
}

void client_event_while_waiting(TcpContext& context, TcpConnection& connection, uint32_t events) {
  client_event_while_connecting(context, connection, events);
  if (connection.phase == ConnectionPhase::closed) return;
  // A unix client that has closed hangs up: there it is what a FIN is elsewhere.
  const bool hung_up = (events & EPOLLHUP) != 0;
  if (client_has_left(connection) || (hung_up && sent_nothing_yet(connection))) {
    end_connection(context, connection, CloseReason::client_closed, Farewell::fin);
  }
}

}  // namespace sluice::tcp
