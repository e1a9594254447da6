// The control plane of an engine, without Node: writes table images and commands, reads events.
#pragma once

#include <dirent.h>
#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "os/doorbell.h"
#include "shared/layout.h"
#include "support/ring_ends.h"
#include "table/crc32.h"
#include "table/table_image.h"

namespace sluice::test {

// ---- Table images -------------------------------------------------------------------------------

struct TestBind {
  uint16_t port = 0;
  uint8_t ip[4] = {127, 0, 0, 1};
  std::string unix_path = {};  // instead of the IP when not empty
};

struct TestListener {
  uint32_t slot = 0;
  std::vector<TestBind> binds = {{}};
  table::Protocol protocol = table::Protocol::tcp;
  uint32_t backlog = 128;
  bool access_log = true;
};

struct TestTable {
  uint64_t generation = 1;
  std::vector<TestListener> listeners = {{}};
  std::vector<uint16_t> target_ports = {};  // on 127.0.0.1; slots 0, 1, ...
  uint32_t target_max_connections = 0;
  uint32_t queue_max = 0;
};

// The records of an image, before they have a place in it.
struct ImageParts {
  std::vector<table::ListenerRecord> listeners;
  std::vector<table::AddressRecord> binds;
  table::PoolRecord pool{};  // of all targets
  table::TierRecord tier{};
  std::vector<table::TargetRecord> targets;
  std::vector<table::CandidateRecord> candidates;
  std::string strings = "name";  // everybody's
};

inline void add_bind(ImageParts& parts, const TestBind& bind) {
  table::AddressRecord address{};
  if (bind.unix_path.empty()) {
    address.family = static_cast<uint16_t>(table::AddressFamily::ipv4);
    address.port = bind.port;
    std::memcpy(address.ip, bind.ip, sizeof bind.ip);
  } else {
    address.family = static_cast<uint16_t>(table::AddressFamily::unix);
    address.path_offset = static_cast<uint32_t>(parts.strings.size());
    address.path_bytes = static_cast<uint32_t>(bind.unix_path.size());
    parts.strings += bind.unix_path;
  }
  parts.binds.push_back(address);
}

inline void add_listener(ImageParts& parts, const TestListener& listener) {
  table::ListenerRecord record{};
  record.slot = listener.slot;
  record.protocol = static_cast<uint32_t>(listener.protocol);
  record.flags = listener.access_log ? static_cast<uint32_t>(table::ListenerFlag::access_log) : 0;
  record.binds_first = static_cast<uint32_t>(parts.binds.size());
  record.binds_count = static_cast<uint32_t>(listener.binds.size());
  record.backlog = listener.backlog;
  record.connect_timeout_ms = 1000;
  record.udp_sessions_max = listener.protocol == table::Protocol::udp ? 64 : 0;
  record.name_bytes = 4;
  parts.listeners.push_back(record);
  for (const TestBind& bind : listener.binds) add_bind(parts, bind);
}

inline void add_target(ImageParts& parts, uint16_t port, uint32_t max_connections) {
  const auto slot = static_cast<uint32_t>(parts.targets.size());
  table::TargetRecord record{};
  record.slot = slot;
  record.flags = static_cast<uint32_t>(table::TargetFlag::serves_sessions);
  record.max_connections = max_connections;
  record.name_bytes = 4;
  record.pool_slot = 0;
  record.family = static_cast<uint16_t>(table::AddressFamily::ipv4);
  record.port = port;
  record.ip[0] = 127;
  record.ip[3] = 1;
  parts.targets.push_back(record);
  parts.candidates.push_back({slot, 1});
}

inline ImageParts parts_of(const TestTable& wanted) {
  ImageParts parts;
  for (const TestListener& listener : wanted.listeners) add_listener(parts, listener);
  for (const uint16_t port : wanted.target_ports) {
    add_target(parts, port, wanted.target_max_connections);
  }
  parts.pool.queue_max = wanted.queue_max;
  parts.pool.queue_timeout_ms = wanted.queue_max > 0 ? 60'000 : 0;
  parts.pool.policy = static_cast<uint32_t>(table::PolicyKind::round_robin);
  parts.pool.key = static_cast<uint32_t>(table::PolicyKey::source);
  parts.pool.tiers_count = 1;
  parts.tier.candidates_count = static_cast<uint32_t>(parts.candidates.size());
  parts.pool.hash_prefix_v4 = 32;
  parts.pool.hash_prefix_v6 = 128;
  return parts;
}

// The order is that of table_image.h.
inline std::vector<std::byte> image_of(const TestTable& wanted) {
  const ImageParts parts = parts_of(wanted);
  std::vector<std::byte> image(sizeof(table::ImageHeader));
  const auto append = [&image](const auto& records, uint32_t& offset, uint32_t& count) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(records));
    offset = static_cast<uint32_t>(image.size());
    count = static_cast<uint32_t>(records.size());
    image.insert(image.end(), bytes.begin(), bytes.end());
  };
  table::ImageHeader header{};
  header.magic = table::kImageMagic;
  header.version = table::kImageVersion;
  header.generation = wanted.generation;
  append(parts.listeners, header.listeners_offset, header.listeners_count);
  append(parts.binds, header.binds_offset, header.binds_count);
  append(std::vector{parts.pool}, header.pools_offset, header.pools_count);
  append(std::vector{parts.tier}, header.tiers_offset, header.tiers_count);
  append(parts.targets, header.targets_offset, header.targets_count);
  append(parts.candidates, header.candidates_offset, header.candidates_count);
  append(std::vector<table::AddressRecord>{}, header.sources_offset, header.sources_count);
  append(parts.strings, header.strings_offset, header.strings_bytes);
  header.total_bytes = static_cast<uint32_t>(image.size());
  std::memcpy(image.data(), &header, sizeof header);
  header.checksum = table::crc32(image);
  std::memcpy(image.data(), &header, sizeof header);
  return image;
}

// ---- The control plane's ends of a region -------------------------------------------------------

class ControlPlane {
 public:
  explicit ControlPlane(os::Doorbell& bell) : bell_(bell) {}
  void attach(shared::Region& region) { region_ = &region; }

  // What an engine gets as its `wake`.
  static void wake(void* bell) { static_cast<os::Doorbell*>(bell)->ring(); }

  void send(uint32_t ring, const shared::Command& command, const os::Doorbell* reader = nullptr) {
    CommandWriter writer(region_->command_header(ring), region_->command_records(ring));
    while (!writer.push(command)) ::poll(nullptr, 0, 1);
    if (reader != nullptr) reader->ring();
  }

  [[nodiscard]] shared::Command load_command(const std::vector<std::byte>& image,
                                             uint64_t generation) {
    area_ ^= 1U;
    std::copy(image.begin(), image.end(), region_->image_area(area_).begin());
    shared::Command command{};
    command.type = static_cast<uint32_t>(shared::CommandType::load_table);
    command.generation = generation;
    command.area = area_;
    command.bytes = static_cast<uint32_t>(image.size());
    return command;
  }

  // The next event of a ring, waiting for it up to five seconds.
  [[nodiscard]] std::optional<shared::Event> next_event(uint32_t ring, int wait_ms = 5000) {
    for (;;) {
      bell_.answer();
      answer_doorbell(region_->header());
      EventReader reader(region_->event_header(ring), region_->event_records(ring));
      if (auto event = reader.pop()) return event;
      pollfd entry{bell_.fd(), POLLIN, 0};
      if (::poll(&entry, 1, wait_ms) <= 0) return std::nullopt;
    }
  }

 private:
  os::Doorbell& bell_;
  shared::Region* region_ = nullptr;
  uint32_t area_ = 0;
};

inline shared::EventType type_of(const shared::Event& event) {
  return shared::EventType{event.type};
}

// A started engine with its control plane.
class EngineHarness {
 public:
  explicit EngineHarness(uint32_t workers = 2) {
    shared::EngineOptions options;
    options.workers = workers;
    options.connections_max = 256;
    engine::StartFailure failure;
    engine = engine::Engine::start(options, &ControlPlane::wake, &bell, failure);
    REQUIRE_MESSAGE(engine != nullptr, failure.step, " ", failure.error);
    region = engine->region();
    control.attach(*region);
  }

  void send_load(const TestTable& table) {
    control.send(0, control.load_command(image_of(table), table.generation));
    engine->ring_doorbell(0);
  }

  // Loads and answers the outcome: table_applied or table_rejected. `ports` gets the new binds'.
  shared::Event load(const TestTable& table) {
    send_load(table);
    for (;;) {
      const std::optional<shared::Event> event = control.next_event(0);
      REQUIRE(event.has_value());
      if (type_of(*event) != shared::EventType::listener_bound) return *event;
      ports.push_back(event->client_port);
    }
  }

  os::Doorbell bell = os::Doorbell::create();
  ControlPlane control{bell};
  std::unique_ptr<engine::Engine> engine;
  std::shared_ptr<shared::Region> region;
  std::vector<uint16_t> ports;
};

// Entries of a directory such as /proc/self/fd, without "." and "..".
inline std::vector<std::string> entries_of(const char* directory) {
  std::vector<std::string> names;
  DIR* open = ::opendir(directory);
  REQUIRE(open != nullptr);
  while (const dirent* entry = ::readdir(open)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(open);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace sluice::test
