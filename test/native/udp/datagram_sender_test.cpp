// DatagramSender over a scripted kernel: what arrives, in which order, in how many calls, whatever
// the kernel refuses.
#include "udp/datagram_sender.h"

#include <doctest/doctest.h>
#include <netinet/udp.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/scripted_sys.h"
#include "support/seed.h"
#include "udp/udp_listener.h"

namespace sluice::udp {
namespace {

using test::Call;
using test::Outcome;
using test::ScriptedKernel;
using test::ScriptedSys;

struct CountingSink {
  uint32_t sent_datagrams = 0;
  uint64_t sent_bytes = 0;
  uint32_t blocked_datagrams = 0;
  uint32_t failed_datagrams = 0;
  uint32_t gso_refusals = 0;
  SendVerdict verdict = SendVerdict::skip;
  int hidden = 0;

  void sent(Session&, uint32_t datagrams, uint32_t bytes) {
    sent_datagrams += datagrams;
    sent_bytes += bytes;
  }
  int hidden_error() { return std::exchange(hidden, 0); }
  void blocked(Session&, uint32_t datagrams) { blocked_datagrams += datagrams; }
  SendVerdict failed(Session&, uint32_t datagrams, int) {
    if (verdict == SendVerdict::skip) failed_datagrams += datagrams;
    return verdict;
  }
  void gso_refused(Session& session) {
    gso_refusals++;
    session.gso_to_target = false;
  }
};

// What the wire carries: a message with UDP_SEGMENT is cut as the kernel would cut it.
std::vector<std::string> on_the_wire(std::vector<test::Datagram> messages) {
  std::vector<std::string> datagrams;
  for (const test::Datagram& message : messages) {
    const std::string all(reinterpret_cast<const char*>(message.payload.data()),
                          message.payload.size());
    uint16_t segment_bytes = 0;
    if (!message.control.empty()) {
      const auto* control = reinterpret_cast<const cmsghdr*>(message.control.data());
      REQUIRE(control->cmsg_level == SOL_UDP);
      REQUIRE(control->cmsg_type == UDP_SEGMENT);
      std::memcpy(&segment_bytes, CMSG_DATA(control), sizeof(segment_bytes));
      REQUIRE(segment_bytes > 0);
      // The kernel's own limits.
      REQUIRE(all.size() <= 65507);
      REQUIRE((all.size() + segment_bytes - 1) / segment_bytes <= 64);
    }
    if (segment_bytes == 0) {
      datagrams.push_back(all);
      continue;
    }
    for (size_t at = 0; at < all.size(); at += segment_bytes) {
      datagrams.push_back(all.substr(at, segment_bytes));
    }
  }
  return datagrams;
}

// Pieces with their bytes, and the datagrams that they stand for.
struct Load {
  std::vector<std::vector<std::byte>> buffers;
  std::vector<Piece> pieces;
  std::vector<std::string> datagrams;
  uint64_t bytes = 0;

  void add(Session& session, uint32_t piece_bytes, uint32_t segment_bytes) {
    auto& buffer = buffers.emplace_back(piece_bytes);
    for (uint32_t i = 0; i < piece_bytes; i++) {
      buffer[i] = static_cast<std::byte>((i * 7 + buffers.size() * 13) & 255U);
    }
    pieces.push_back({&session, buffer.data(), piece_bytes, segment_bytes});
    const std::string all(reinterpret_cast<const char*>(buffer.data()), piece_bytes);
    if (piece_bytes == 0) datagrams.emplace_back();
    for (size_t at = 0; at < piece_bytes; at += segment_bytes) {
      datagrams.push_back(all.substr(at, segment_bytes));
    }
    bytes += piece_bytes;
  }
};

struct Bench {
  ScriptedKernel kernel;
  os::Fd fd = kernel.open_datagram();
  Session session;
  DatagramSender sender;
  CountingSink sink;
  Load load;

  explicit Bench(bool gso = true) { session.gso_to_target = gso; }
  PiecePosition send() {
    return sender.send<ScriptedSys>(fd.get(), Direction::to_target, load.pieces, sink);
  }
  std::vector<std::string> wire() { return on_the_wire(kernel.peer_take_datagrams(fd.get())); }
};

TEST_CASE("equal datagrams leave as one message, a shorter one may end it") {
  Bench bench;
  for (int i = 0; i < 15; i++) bench.load.add(bench.session, 100, 100);
  bench.load.add(bench.session, 60, 60);
  bench.load.add(bench.session, 100, 100);
  bench.send();
  const auto messages = bench.kernel.peer_take_datagrams(bench.fd.get());
  CHECK(bench.kernel.calls(Call::sendmmsg) == 1);
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].payload.size() == 15 * 100 + 60);
  CHECK(on_the_wire(messages) == bench.load.datagrams);
  CHECK(bench.sink.sent_datagrams == 17);
  CHECK(bench.sink.sent_bytes == bench.load.bytes);
}

TEST_CASE("datagrams of growing size, empty ones and other sessions never join a message") {
  Bench bench;
  Session other;
  other.gso_to_target = true;
  bench.load.add(bench.session, 100, 100);
  bench.load.add(bench.session, 101, 101);
  bench.load.add(bench.session, 0, 0);
  bench.load.add(bench.session, 0, 0);
  bench.load.add(other, 50, 50);
  bench.load.add(bench.session, 50, 50);
  bench.load.add(bench.session, 40, 20);  // two of 20 are no end of a run of 50
  bench.send();
  const auto messages = bench.kernel.peer_take_datagrams(bench.fd.get());
  CHECK(messages.size() == 7);
  CHECK(on_the_wire(messages) == bench.load.datagrams);
}

TEST_CASE("more segments or bytes than the kernel takes become several messages") {
  Bench bench;
  for (int i = 0; i < 130; i++) bench.load.add(bench.session, 10, 10);
  for (int i = 0; i < 60; i++) bench.load.add(bench.session, 1400, 1400);
  bench.load.add(bench.session, 65507, 65507);
  bench.load.add(bench.session, 65000, 1000);
  bench.load.add(bench.session, 65000, 1000);
  bench.send();
  CHECK(bench.wire() == bench.load.datagrams);
  CHECK(bench.sink.sent_datagrams == bench.load.datagrams.size());
}

TEST_CASE("a path that refuses GSO gets every datagram one by one, and is not asked again") {
  for (const int error : {EIO, EINVAL, EMSGSIZE}) {
    CAPTURE(error);
    Bench bench;
    for (int i = 0; i < 20; i++) bench.load.add(bench.session, 200, 200);
    bench.load.add(bench.session, 3050, 1000);  // joined by GRO: cut again
    bench.kernel.script(Call::sendmmsg, Outcome::failure(error));
    bench.send();
    CHECK(bench.wire() == bench.load.datagrams);
    CHECK(bench.sink.sent_datagrams == 24);
    CHECK(bench.sink.gso_refusals == 1);
    CHECK(bench.sink.failed_datagrams == 0);
    CHECK_FALSE(bench.session.gso_to_target);
  }
}

TEST_CASE("GSO refused in the middle of a batch repeats nothing and loses nothing") {
  Bench bench;
  Session other;
  other.gso_to_target = true;
  for (int i = 0; i < 4; i++) bench.load.add(bench.session, 200, 200);
  for (int i = 0; i < 4; i++) bench.load.add(other, 300, 300);
  for (int i = 0; i < 4; i++) bench.load.add(bench.session, 100, 100);
  bench.kernel.script(Call::sendmmsg, Outcome::at_most(1));
  bench.kernel.script(Call::sendmmsg, Outcome::failure(EINVAL));
  bench.send();
  CHECK(bench.wire() == bench.load.datagrams);
  CHECK(bench.session.gso_to_target);
  CHECK_FALSE(other.gso_to_target);
}

TEST_CASE("a full socket drops the rest, counted to the datagram") {
  Bench bench;
  for (int i = 0; i < 100; i++) bench.load.add(bench.session, 10 + static_cast<uint32_t>(i), 200);
  bench.load.add(bench.session, 500, 100);
  bench.kernel.script(Call::sendmmsg, Outcome::at_most(30));
  bench.kernel.script(Call::sendmmsg, Outcome::blocked());
  bench.send();
  CHECK(bench.sink.sent_datagrams == 30);
  CHECK(bench.sink.blocked_datagrams == 75);
  CHECK(bench.wire().size() == 30);
}

TEST_CASE("an unreachable target stops at the datagram that met the error") {
  Bench bench(false);
  for (int i = 0; i < 10; i++) bench.load.add(bench.session, 100, 100);
  bench.load.add(bench.session, 1000, 100);
  bench.sink.verdict = SendVerdict::stop;
  bench.kernel.script(Call::sendmmsg, Outcome::at_most(13));
  bench.kernel.script(Call::sendmmsg, Outcome::failure(ECONNREFUSED));
  const PiecePosition stopped = bench.send();
  CHECK(stopped.piece == 10);
  CHECK(stopped.offset == 300);
  CHECK(bench.sink.sent_datagrams == 13);
}

TEST_CASE("an error that sendmmsg hid behind a short count stops at the message that met it") {
  Bench bench(false);
  for (int i = 0; i < 10; i++) bench.load.add(bench.session, 100, 100);
  bench.sink.verdict = SendVerdict::stop;
  bench.sink.hidden = ECONNREFUSED;
  bench.kernel.script(Call::sendmmsg, Outcome::at_most(1));
  const PiecePosition stopped = bench.send();
  CHECK(stopped.piece == 1);
  CHECK(bench.kernel.calls(Call::sendmmsg) == 1);
  CHECK(bench.wire().size() == 1);
}

TEST_CASE("every datagram leaves whole, once and in order, or is counted as dropped") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const uint32_t sizes[] = {0, 1, 64, 64, 64, 100, 100, 1200, 1200, 1200, 1400, 9000, 65507};
  for (int round = 0; round < 300; round++) {
    CAPTURE(round);
    Bench bench(random() % 2 == 0);
    Session other;
    other.gso_to_target = random() % 2 == 0;
    const auto pieces = 1 + random() % 100;
    for (size_t i = 0; i < pieces; i++) {
      const uint32_t segment = sizes[random() % std::size(sizes)];
      const bool joined = segment > 0 && segment < 2000 && random() % 4 == 0;
      const auto bytes =
          joined ? std::min<uint32_t>(65000, segment * static_cast<uint32_t>(1 + random() % 70) +
                                                 static_cast<uint32_t>(random() % segment))
                 : segment;
      bench.load.add(random() % 5 == 0 ? other : bench.session, bytes, segment);
    }
    test::Chaos chaos;
    chaos.seed = random();
    chaos.short_percent = 40;
    chaos.failure_percent = 30;
    chaos.errors = {EIO, EINVAL, EMSGSIZE, EPERM};
    bench.kernel.chaos(chaos);
    bench.send();
    const auto wire = bench.wire();
    REQUIRE(bench.sink.sent_datagrams == wire.size());
    REQUIRE(wire.size() + bench.sink.failed_datagrams == bench.load.datagrams.size());
    // In order: the wire is the load with the dropped ones left out.
    size_t at = 0;
    for (const std::string& datagram : wire) {
      while (at < bench.load.datagrams.size() && bench.load.datagrams[at] != datagram) at++;
      REQUIRE(at < bench.load.datagrams.size());
      at++;
    }
  }
}

TEST_CASE("bursts of one size cost one call per 64 messages without GSO") {
  Bench bench(false);
  for (int i = 0; i < 64; i++) bench.load.add(bench.session, 100, 100);
  bench.send();
  CHECK(bench.kernel.calls(Call::sendmmsg) == 1);
  CHECK(bench.wire() == bench.load.datagrams);
}

}  // namespace
}  // namespace sluice::udp
