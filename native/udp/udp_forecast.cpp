// What the two paths and the store would answer.
#include "udp/udp_forecast.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace sluice::udp {

using shared::ExplainOutcome;

namespace {

bool is_client(const SessionKey& key, const os::ClientAddress& client) {
  return key.client_port == client.port && key.scope_id == client.scope_id &&
         std::memcmp(key.client_ip, client.ip, sizeof(key.client_ip)) == 0;
}

const Session* find_in(const SessionList<&Session::age>& list, const os::ClientAddress& client) {
  for (Session* session = list.oldest(); session != nullptr; session = list.after(*session)) {
    if (session->mapped && is_client(session->key, client)) return session;
  }
  return nullptr;
}

const Session* find_by_key(const UdpListener& listener, const os::ClientAddress& client) {
  SessionKey key;
  std::memcpy(key.client_ip, client.ip, sizeof(key.client_ip));
  key.scope_id = client.scope_id;
  key.client_port = client.port;
  for (const auto& socket : listener.sockets) {
    key.socket_id = socket->id;
    const Session* session = listener.map.find(key, listener.map.hash(key));
    if (session != nullptr) return session;
  }
  return nullptr;
}

struct Found {
  const Session* session = nullptr;
  bool unseen = false;
};

Found find_session(const UdpListener& listener, const os::ClientAddress& client) {
  if (client.port == 0) return {};
  const bool by_key =
      std::ranges::none_of(listener.sockets, [](const auto& socket) { return socket->wildcard; });
  if (by_key) return {.session = find_by_key(listener, client)};
  if (listener.sessions > kSessionsSeenMax) return {.unseen = true};
  const Session* established = find_in(listener.established, client);
  return {.session = established != nullptr ? established : find_in(listener.unproven, client)};
}

// Is there no room for another session, and nobody who would make room?
std::optional<ExplainOutcome> refusal(const SessionStore& store, const UdpListener& listener) {
  switch (store.room(listener)) {
    case Room::enough:
      return std::nullopt;
    case Room::listener_full:
      if (store.next_to_evict(listener) != nullptr) return std::nullopt;
      return ExplainOutcome::listener_full;
    case Room::worker_full:
      if (store.next_to_evict() != nullptr) return std::nullopt;
      return ExplainOutcome::worker_full;
  }
  return std::nullopt;
}

}  // namespace

table::Forecast forecast(const SessionStore& store, const UdpListener& listener,
                         const os::ClientAddress& client) {
  table::Forecast forecast;
  forecast.pool = listener.pool;
  forecast.pick =
      store.explain(*listener.pool,
                    {.client = client, .destination = table::first_destination(*listener.config)});
  const Found found = find_session(listener, client);
  forecast.sessions_unseen = found.unseen;
  const std::optional<ExplainOutcome> refused = refusal(store, listener);
  if (found.session != nullptr) {
    forecast.outcome = ExplainOutcome::session;
    forecast.target_slot = found.session->target_slot;
  } else if (refused.has_value()) {
    forecast.outcome = *refused;
  } else if (forecast.pick.slot != policy::kNoPick) {
    forecast.outcome = ExplainOutcome::picked;
    forecast.target_slot = forecast.pick.slot;
  } else {
    forecast.outcome = ExplainOutcome::no_target;
  }
  return forecast;
}

}  // namespace sluice::udp
