// Accepting, and when not to.
#include "tcp/tcp_listener.h"

#include <utility>

#include "os/accept.h"
#include "os/listen.h"
#include "os/socket.h"
#include "tcp/admission.h"

namespace sluice::tcp {

namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// Another worker's connection may have ended: a count to look at, no system call.
constexpr uint64_t kLimitLookNs = 20 * kMillisecondNs;
// One accept that fails, ten times a second.
constexpr uint64_t kDescriptorLookNs = 100 * kMillisecondNs;
// More than any backlog holds; new clients must not keep a retired socket alive for ever.
constexpr uint32_t kRetireAcceptsMax = 65535;

}  // namespace

TcpListener::TcpListener(TcpContext& context, std::shared_ptr<const table::BoundSockets> sockets)
    : context_(context), sockets_(std::move(sockets)) {
  kind = static_cast<uint8_t>(shared::TimerKind::tcp_accept_resume);
  const size_t own = sockets_->per_worker.size() == 1 ? 0 : context.links.worker_index;
  fd_ = sockets_->per_worker[own].get();
  unix_ = sockets_->address.family() == AF_UNIX;
  if (listen()) return;
  pause_ = Pause::broken;
  context_.paused_listeners++;
  context_.links.wheel.arm(*this, context_.now_ns() + kDescriptorLookNs);
}

TcpListener::~TcpListener() {
  if (armed()) context_.links.wheel.cancel(*this);
}

void TcpListener::configure(const table::Listener& config) {
  config_ = &config;
  if (unix_) return;
  // Accepted sockets inherit these. An option that the kernel lacks is reported once, at start.
  const table::SocketOptions& options = config.client_options;
  static_cast<void>(os::set_tcp_options(fd_, {.nodelay = options.nodelay,
                                              .user_timeout_ms = options.user_timeout_ms,
                                              .keepalive_idle_s = options.keepalive_idle_s,
                                              .keepalive_interval_s = options.keepalive_interval_s,
                                              .keepalive_count = options.keepalive_count}));
  // 0 has to undo what an earlier table set.
  static_cast<void>(os::set_user_timeout(fd_, options.user_timeout_ms));
}

// The place is claimed before the accept: a client that is taken out of the backlog is served.
bool TcpListener::claim_place() {
  // Relaxed: a count compared with a limit; of several workers that want the last place, at most
  // one finds it free.
  std::atomic<uint32_t>& active = context_.links.listener_active[config_->slot];
  const uint32_t before = active.fetch_add(1, std::memory_order_relaxed);
  if (config_->max_connections == 0 || before < config_->max_connections) return true;
  release_place();
  return false;
}

void TcpListener::release_place() {
  context_.links.listener_active[config_->slot].fetch_sub(1, std::memory_order_relaxed);
}

TcpListener::AcceptStep TcpListener::accept_one() {
  // Clients come out of the backlog one by one as others leave. Without this every one that is
  // served would cost the next one its place.
  if (context_.descriptor_episode && !context_.reserve.has_room_for_connection()) {
    context_.out_of_descriptors = true;
    return AcceptStep::stop;
  }
  if (!claim_place()) {
    pause(Pause::limit);
    return AcceptStep::stop;
  }
  os::AcceptResult result = os::accept_connection(fd_);
  switch (result.status) {
    case os::AcceptStatus::accepted:
      admit(context_, *config_, std::move(result));
      // The connect may have met the bound that the accept just missed.
      if (context_.out_of_descriptors) return AcceptStep::stop;
      return AcceptStep::next;
    case os::AcceptStatus::would_block:
      release_place();
      // Everybody who waited has been served: only now is the shortage over.
      context_.descriptor_episode = false;
      return AcceptStep::drained;
    case os::AcceptStatus::transient:
      release_place();
      shared::add(context_.links.listeners[config_->slot].accept_errors, 1);
      return AcceptStep::next;
    case os::AcceptStatus::out_of_descriptors:
      release_place();
      meet_descriptor_bound();
      return AcceptStep::stop;
    case os::AcceptStatus::failed:
      release_place();
      shared::add(context_.links.listeners[config_->slot].accept_errors, 1);
      pause(Pause::broken);
      return AcceptStep::stop;
  }
  return AcceptStep::stop;
}

void TcpListener::accept_batch() {
  if (pause_ != Pause::none || retired_) return;
  for (uint32_t i = 0; i < context_.links.options.accept_batch; i++) {
    if (accept_one() != AcceptStep::next) return;
  }
}

// Whoever waits longest is told at once, by the reserve; the others may hope for a descriptor. Only
// once per episode: else a shortage would refuse clients as fast as they come.
void TcpListener::meet_descriptor_bound() {
  context_.out_of_descriptors = true;
  if (context_.descriptor_episode) return;
  if (context_.reserve.refuse_one(fd_)) note_refusal(context_, *config_);
}

void TcpListener::pause(Pause why) {
  if (pause_ == Pause::none) {
    // Not readable-and-ignored: a level-triggered listener would wake the worker again and again.
    static_cast<void>(context_.links.epoll.remove(fd_));
    context_.paused_listeners++;
    if (why == Pause::limit) {
      shared::add(context_.links.listeners[config_->slot].accept_paused_limit, 1);
    }
  }
  pause_ = why;
  const uint64_t wait_ns = why == Pause::limit ? kLimitLookNs : kDescriptorLookNs;
  context_.links.wheel.arm(*this, context_.now_ns() + wait_ns);
}

void TcpListener::look_again() {
  if (pause_ == Pause::none || retired_) return;
  // Accepting at half a connection would turn clients away as fast as we look.
  if (pause_ == Pause::descriptors && !context_.reserve.has_room_for_connection()) {
    context_.links.wheel.arm(*this, context_.now_ns() + kDescriptorLookNs);
    return;
  }
  if (pause_ == Pause::limit && config_->max_connections != 0 &&
      context_.links.listener_active[config_->slot].load(std::memory_order_relaxed) >=
          config_->max_connections) {
    context_.links.wheel.arm(*this, context_.now_ns() + kLimitLookNs);
    return;
  }
  resume();
}

void TcpListener::resume() {
  if (armed()) context_.links.wheel.cancel(*this);
  if (!listen()) {
    context_.links.wheel.arm(*this, context_.now_ns() + kDescriptorLookNs);
    return;
  }
  pause_ = Pause::none;
  context_.paused_listeners--;
}

bool TcpListener::listen() {
  const auto token =
      os::EpollToken::of(this, static_cast<uint8_t>(shared::TokenKind::tcp_listener));
  // A unix listener is the same socket in every worker: one client wakes one of them.
  const uint32_t events = unix_ ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
  return !context_.links.epoll.add(fd_, events, token).failed();
}

void TcpListener::retire() {
  if (retired_) return;
  for (uint32_t i = 0; i < kRetireAcceptsMax; i++) {
    if (accept_one() != AcceptStep::next) break;
  }
  if (pause_ == Pause::none) {
    static_cast<void>(context_.links.epoll.remove(fd_));
  } else {
    context_.paused_listeners--;
  }
  if (armed()) context_.links.wheel.cancel(*this);
  retired_ = true;
  // The unix socket is shared: closing it is up to the last of its owners.
  if (!unix_) os::stop_listening(fd_);
}

}  // namespace sluice::tcp
