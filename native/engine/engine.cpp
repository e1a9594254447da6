// Starting and stopping everything in the right order.
#include "engine/engine.h"

#include <sys/resource.h>

#include <algorithm>

namespace sluice::engine {
namespace {

// What the descriptor limit leaves to clients, after a reserve for listeners, pipes and the control
// plane's own files.
rlim_t descriptors_for_clients() {
  constexpr rlim_t kReserve = 512;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return limit.rlim_cur - std::min(kReserve, limit.rlim_cur / 2);
}

uint32_t share_of(rlim_t all, uint32_t workers) {
  constexpr rlim_t kShareMax = 1U << 20U;
  return static_cast<uint32_t>(std::clamp<rlim_t>(all / workers, 1, kShareMax));
}

// A connection has two descriptors and a session one. Sessions never get the last quarter: a flood
// of spoofed datagrams makes as many as it may, and TCP clients must still be let in.
shared::EngineOptions resolved(shared::EngineOptions options) {
  if (options.workers == 0) return options;
  const rlim_t descriptors = descriptors_for_clients();
  if (options.connections_max == 0) {
    options.connections_max = share_of(descriptors / 2, options.workers);
  }
  if (options.sessions_max == 0) {
    options.sessions_max = share_of(descriptors / 4 * 3, options.workers);
  }
  return options;
}

}  // namespace

std::unique_ptr<Engine> Engine::start(const shared::EngineOptions& options,
                                      shared::EventRing::Wake wake, void* context,
                                      StartFailure& failure) {
  std::unique_ptr<Engine> engine(new Engine(resolved(options)));
  if (!engine->start_all(wake, context, failure)) return nullptr;
  return engine;
}

Engine::Engine(const shared::EngineOptions& options) : options_(options) {}

Engine::~Engine() {
  stop();
}

bool Engine::start_all(shared::EventRing::Wake wake, void* context, StartFailure& failure) {
  region_ = std::make_shared<shared::Region>(shared::Region::create(options_.workers));
  if (!region_->valid()) {
    failure = {"mapping the shared region", region_->error()};
    return false;
  }
  exchange_ = std::make_unique<table::TableExchange>(options_.workers);
  waiting_ = std::make_unique<shared::WaitingBoard>(options_.workers);
  retries_ = std::make_unique<shared::RetryBudgets>();
  coordinator_ =
      std::make_unique<Coordinator>(Coordinator::Links{*region_, *exchange_, wake, context});
  bool valid = coordinator_->valid();
  for (uint32_t i = 0; i < options_.workers && valid; i++) {
    workers_.push_back(
        std::make_unique<Worker>(Worker::Links{.index = i,
                                               .options = options_,
                                               .region = *region_,
                                               .exchange = *exchange_,
                                               .waiting = *waiting_,
                                               .retries = *retries_,
                                               .coordinator = coordinator_->doorbell(),
                                               .wake = wake,
                                               .wake_context = context}));
    valid = workers_.back()->valid();
  }
  if (!valid) {
    failure = {"opening epoll and eventfd descriptors", 0};
    return false;
  }
  // The coordinator last: it wakes workers.
  int error = 0;
  for (const auto& worker : workers_) {
    if (error == 0) error = worker->start();
  }
  if (error == 0) error = coordinator_->start(workers_);
  if (error != 0) {
    failure = {"starting a thread", error};
    return false;
  }
  return true;
}

void Engine::ring_doorbell(uint32_t ring_index) {
  const std::lock_guard lock(stop_mutex_);
  if (stopped_) return;
  if (ring_index == shared::RingIndex::coordinator) {
    coordinator_->doorbell().ring();
  } else if (ring_index <= workers_.size()) {
    workers_[ring_index - 1]->doorbell().ring();
  }
}

void Engine::stop() {
  const std::lock_guard lock(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  if (!coordinator_) return;
  coordinator_->request_stop();
  for (const auto& worker : workers_) worker->request_stop();
  coordinator_->join();
  for (const auto& worker : workers_) worker->join();
  // Listening sockets belong to the tables and to the workers' parts; the tables must not be freed
  // before the parts that look at them.
  workers_.clear();
  coordinator_.reset();
  exchange_.reset();
  waiting_.reset();
  retries_.reset();
  // The memory stays as long as somebody reads counters; nobody will map it anew.
  region_->close_fd();
}

}  // namespace sluice::engine
