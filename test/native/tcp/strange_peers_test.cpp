// What is rare on a network and must not surprise: a connect that meets itself, descriptors passed
// along with bytes, a pool whose slot has gone to another one.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "support/network_namespace.h"
#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

// Sends the stream's next bytes together with a descriptor (SCM_RIGHTS).
void send_with_descriptor(const Peer& peer, std::span<std::byte> bytes) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec vector{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = STDERR_FILENO;
  std::memcpy(CMSG_DATA(part), &passed, sizeof(passed));
  REQUIRE(::sendmsg(peer.fd(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

// With nobody at the target's port, the kernel may choose that very port as our own, and TCP
// connects a socket to itself (simultaneous open). The client would be sent its own bytes back, and
// the target, once it returns, could not have its port.
TEST_CASE("a connect that meets itself is a refusal, and leaves the port to its target") {
  in_network_namespace([] {
    // A connect takes the even ports of the range first.
    write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
    const os::Address address = v4(40000);
    TableDraft draft;
    draft.listen_on(test::own_unix("self-connect"));
    draft.targets = {address};
    TcpLoop loop;
    loop.adopt(draft);
    for (int i = 0; i < 3; i++) {
      Peer client = Peer::connect(draft.address());
      client.send(kUp, 10);
      const Received got = client.receive(kDown, 10);
      CHECK(got.bytes == 0);
      CHECK(got.ending != Ending::timeout);  // a unix client knows no reset
    }
    CHECK(eventually([&] { return loop.closed_by(CloseReason::connect_failed) == 3; }));
    CHECK(loop.target(0).connect_refused.load() == 3);
    CHECK(loop.target(0).connections_opened.load() == 0);

    // Without SO_REUSEADDR, so that not even TIME_WAIT may be left there.
    const os::Fd target(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(::bind(target.get(), address.get(), address.bytes()) == 0);
  });
}

// recv() on a unix socket ends behind the bytes that a descriptor came with, although more may
// wait, and no event will tell of what was there before.
TEST_CASE("bytes behind a passed descriptor are forwarded, from a client and from a target") {
  PeerListener target_listener(test::own_unix("descriptor-target"));
  TableDraft draft;
  draft.listen_on(test::own_unix("descriptor-listener"));
  draft.targets = {test::own_unix("descriptor-target")};
  TcpLoop loop;
  std::array<std::byte, 16> head{};
  std::array<std::byte, 84> tail{};

  // Both pieces wait before anybody reads.
  Peer client = Peer::connect(draft.address());
  fill_stream(kUp, 0, head);
  send_with_descriptor(client, head);
  fill_stream(kUp, head.size(), tail);
  REQUIRE(::send(client.fd(), tail.data(), tail.size(), 0) == static_cast<ssize_t>(tail.size()));
  loop.adopt(draft);
  Peer target = target_listener.accept();
  CHECK(target.receive(kUp, 100).bytes == 100);

  loop.call([&](tcp::TcpWorker&) {
    fill_stream(kDown, 0, head);
    send_with_descriptor(target, head);
    fill_stream(kDown, head.size(), tail);
    REQUIRE(::send(target.fd(), tail.data(), tail.size(), 0) == static_cast<ssize_t>(tail.size()));
  });
  CHECK(client.receive(kDown, 100).bytes == 100);
}

TEST_CASE("a retry never goes to another pool that was given the slot of the client's") {
  PeerListener silent(v4(0), {}, 0);  // its queue is full: every further SYN is dropped
  const Peer filler = Peer::connect(silent.address());
  PeerListener stranger;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {silent.address()};
  draft.retries = 1;
  draft.listener.connect_timeout_ms = 300;
  table::Table without_pools;
  without_pools.index_slots();
  TableDraft other;
  other.targets = {silent.address(), stranger.address()};
  other.retries = 1;
  const std::unique_ptr<table::Table> reused = other.build();

  TcpLoop loop;
  loop.adopt(draft);
  Peer client = Peer::connect(draft.address());
  REQUIRE(eventually([&] { return loop.target_active(0) == 1; }));
  loop.call([&](tcp::TcpWorker& worker) { worker.adopt(without_pools); });
  loop.call([&](tcp::TcpWorker& worker) { worker.adopt(*reused); });
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::connect_timeout) == 1; }));
  CHECK(loop.target(1).connections_opened.load() == 0);
}

}  // namespace
}  // namespace sluice::test
