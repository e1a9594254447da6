// Matching the binds of two tables, and opening what is new.
#include "engine/bind_sockets.h"

#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "os/listen.h"

namespace sluice::engine {
namespace {

// What makes two binds the same. The bytes of an Address have no holes that could differ: it begins
// as all zero.
std::string identity(const table::Listener& listener, const table::Bind& bind) {
  std::string key(reinterpret_cast<const char*>(bind.address.get()), bind.address.bytes());
  key.push_back(static_cast<char>(listener.protocol));
  key.push_back(listener.ipv6_only ? '6' : '*');
  return key;
}

struct Held {
  const table::Listener* listener = nullptr;
  const table::Bind* bind = nullptr;
};

// The binds of a table by identity. Several may share one (port 0 on the same address) and then
// come in the order of the table.
using HeldByIdentity = std::multimap<std::string, Held>;

HeldByIdentity binds_of(const table::Table* table) {
  HeldByIdentity held;
  if (table == nullptr) return held;
  for (const table::Listener& listener : table->listeners) {
    for (const table::Bind& bind : listener.binds) {
      held.emplace(identity(listener, bind), Held{&listener, &bind});
    }
  }
  return held;
}

// First each bind takes back what its own listener had, then what is left goes to whoever asks for
// the same address: two listeners on port 0 must not swap their ports at a reload. Takes out of
// `held` what is carried; what stays there is going to close.
void carry_over(table::Table& next, HeldByIdentity& held) {
  for (const bool own_only : {true, false}) {
    for (table::Listener& listener : next.listeners) {
      for (table::Bind& bind : listener.binds) {
        if (bind.sockets) continue;
        auto [at, end] = held.equal_range(identity(listener, bind));
        while (at != end && own_only && at->second.listener->slot != listener.slot) ++at;
        if (at == end) continue;
        bind.sockets = at->second.bind->sockets;
        held.erase(at);
      }
    }
  }
}

// Do sockets that are going to close stand in the way of this bind? So it is when a bind moves from
// the wildcard to one address, or back. Lets the new ones in beside them if they do.
bool admit_beside_closing(const table::Listener& listener, const table::Bind& bind,
                          const HeldByIdentity& closing) {
  if (bind.address.port() == 0) return false;
  bool overlaps = false;
  for (const auto& [key, held] : closing) {
    const table::BoundSockets& sockets = *held.bind->sockets;
    if (held.listener->protocol != listener.protocol) continue;
    if (sockets.address.port() != bind.address.port()) continue;
    if (!sockets.address.is_wildcard() && !bind.address.is_wildcard()) continue;
    for (const os::Fd& fd : sockets.per_worker) os::admit_own(fd.get());
    overlaps = true;
  }
  return overlaps;
}

shared::TableError reason_of(int error) {
  switch (error) {
    case EADDRINUSE:
      return shared::TableError::address_in_use;
    case EACCES:
    case EPERM:
      return shared::TableError::permission_denied;
    case ENOMEM:
    case ENOBUFS:
      return shared::TableError::no_memory;
    default:
      return shared::TableError::bind_failed;
  }
}

// The path of a socket file goes when its last owner does, be it a table or a worker's listener.
std::shared_ptr<const table::BoundSockets> own(os::Listeners opened, uint32_t listener_slot) {
  auto* sockets = new table::BoundSockets;
  sockets->address = opened.bound;
  sockets->listener_slot = listener_slot;
  sockets->per_worker = std::move(opened.sockets);
  sockets->unix_path = std::move(opened.unix_path);
  return {sockets, [](const table::BoundSockets* last) {
            const std::string path = last->unix_path;
            delete last;
            os::remove_socket_file(path);
          }};
}

}  // namespace

BindPlan bind_sockets(table::Table& next, const table::Table* current, uint32_t workers) {
  HeldByIdentity closing = binds_of(current);
  carry_over(next, closing);
  BindPlan plan;
  for (table::Listener& listener : next.listeners) {
    os::ListenOptions options;
    options.transport = listener.protocol == table::Protocol::tcp ? os::Transport::tcp  //
                                                                  : os::Transport::udp;
    options.backlog = listener.backlog;
    options.ipv6_only = listener.ipv6_only;
    options.unix_mode = listener.unix_mode;
    uint16_t index = 0;
    for (table::Bind& bind : listener.binds) {
      const uint16_t bind_index = index++;
      if (bind.sockets) continue;
      options.beside_own = admit_beside_closing(listener, bind, closing);
      os::Listeners opened = os::open_listeners(bind.address, workers, options);
      if (!opened.ok()) {
        // `next` is thrown away by the caller, and with it what was opened so far.
        plan.failure =
            BindFailure{reason_of(opened.error), listener.slot, bind_index, opened.error};
        return plan;
      }
      bind.sockets = own(std::move(opened), listener.slot);
      plan.opened.push_back({listener.slot, bind_index, bind.sockets->address.port()});
    }
  }
  return plan;
}

void update_backlogs(const table::Table& next, const table::Table* current) {
  if (current == nullptr) return;
  std::unordered_map<const table::BoundSockets*, uint32_t> before;
  for (const table::Listener& listener : current->listeners) {
    for (const table::Bind& bind : listener.binds)
      before.emplace(bind.sockets.get(), listener.backlog);
  }
  for (const table::Listener& listener : next.listeners) {
    if (listener.protocol != table::Protocol::tcp) continue;
    for (const table::Bind& bind : listener.binds) {
      const auto held = before.find(bind.sockets.get());
      if (held == before.end() || held->second == listener.backlog) continue;
      for (const os::Fd& fd : bind.sockets->per_worker) os::set_backlog(fd.get(), listener.backlog);
    }
  }
}

}  // namespace sluice::engine
