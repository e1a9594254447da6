// RealSys against the real kernel: each result's meaning, and SIGPIPE that kills nobody.
#include "os/sys.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>

#include <array>
#include <thread>
#include <vector>

#include "os/pipe.h"
#include "support/loopback.h"

using namespace sluice;
using namespace sluice::test;
using os::RealSys;

namespace {

const std::array<std::byte, 5> kHello = {std::byte{'h'}, std::byte{'e'}, std::byte{'l'},
                                         std::byte{'l'}, std::byte{'o'}};

size_t fill(int fd) {
  const std::vector<std::byte> chunk(64 * 1024);
  size_t sent = 0;
  for (;;) {
    const os::IoResult result = RealSys::send(fd, chunk);
    if (!result.done()) break;
    sent += result.bytes;
  }
  return sent;
}

}  // namespace

TEST_CASE("recv tells bytes, nothing yet, and the end apart; peek leaves the bytes") {
  TcpPair pair = tcp_pair();
  std::byte buffer[16];
  CHECK(RealSys::recv(pair.far.get(), buffer).would_block());
  CHECK(RealSys::send(pair.near.get(), kHello).bytes == 5);
  REQUIRE((wait_for(pair.far.get(), POLLIN) & POLLIN) != 0);
  CHECK(RealSys::peek(pair.far.get(), buffer).bytes == 5);
  CHECK(os::unread_bytes(pair.far.get()) == 5);
  CHECK(RealSys::recv(pair.far.get(), buffer).bytes == 5);
  CHECK(std::equal(kHello.begin(), kHello.end(), buffer));
  CHECK(RealSys::shutdown_write(pair.near.get()).done());
  REQUIRE(wait_for(pair.far.get(), POLLIN) != 0);
  CHECK(RealSys::recv(pair.far.get(), buffer).eof());
  // The other direction lives on.
  CHECK(RealSys::send(pair.far.get(), kHello).done());
}

TEST_CASE("bytes sent before a FIN leave together with it") {
  TcpPair pair = tcp_pair();
  std::byte buffer[16];
  CHECK(RealSys::send_before_fin(pair.near.get(), kHello).bytes == 5);
  // On loopback a segment arrives before send() returns.
  CHECK(RealSys::recv(pair.far.get(), buffer).would_block());
  CHECK(RealSys::shutdown_write(pair.near.get()).done());
  REQUIRE(wait_for(pair.far.get(), POLLIN) != 0);
  CHECK(RealSys::recv(pair.far.get(), buffer).bytes == 5);
  CHECK(std::equal(kHello.begin(), kHello.end(), buffer));
  CHECK(RealSys::recv(pair.far.get(), buffer).eof());
  // close() takes them along too.
  CHECK(RealSys::send_before_fin(pair.far.get(), kHello).bytes == 5);
  pair.far.reset();
  REQUIRE(wait_for(pair.near.get(), POLLIN) != 0);
  CHECK(RealSys::recv(pair.near.get(), buffer).bytes == 5);
  CHECK(RealSys::recv(pair.near.get(), buffer).eof());
}

TEST_CASE("send moves what fits and then says that it would block") {
  TcpPair pair = tcp_pair();
  CHECK(fill(pair.near.get()) > 0);
  CHECK(RealSys::send(pair.near.get(), kHello).would_block());
}

TEST_CASE("a reset is a failure with its errno, after what was received before it") {
  TcpPair pair = tcp_pair();
  REQUIRE(RealSys::send(pair.near.get(), kHello).done());
  os::abort_connection(std::move(pair.near));
  REQUIRE((wait_for(pair.far.get(), POLLIN) & POLLERR) != 0);
  std::byte buffer[16];
  CHECK(RealSys::recv(pair.far.get(), buffer).bytes == 5);
  CHECK(RealSys::recv(pair.far.get(), buffer).error == ECONNRESET);
  // No signal: MSG_NOSIGNAL. This binary ignores none.
  CHECK(RealSys::send(pair.far.get(), kHello).error == EPIPE);
}

TEST_CASE("splice moves bytes through a pipe and tells the end of the stream") {
  TcpPair in = tcp_pair();
  TcpPair out = tcp_pair();
  os::PipeStore store({1, 64 * 1024, UINT32_MAX});
  os::Pipe* const pipe = store.take();
  REQUIRE(pipe != nullptr);
  const int write = pipe->write.get();
  const int read = pipe->read.get();
  CHECK(RealSys::splice_in(in.far.get(), write, 1000).would_block());
  CHECK(RealSys::splice_out(read, out.near.get(), 1000).would_block());
  REQUIRE(RealSys::send(in.near.get(), kHello).done());
  REQUIRE(wait_for(in.far.get(), POLLIN) != 0);
  CHECK(RealSys::splice_in(in.far.get(), write, 3).bytes == 3);
  CHECK(RealSys::splice_in(in.far.get(), write, 1000).bytes == 2);
  CHECK(RealSys::splice_out(read, out.near.get(), 1000).bytes == 5);
  REQUIRE(wait_for(out.far.get(), POLLIN) != 0);
  std::byte buffer[16];
  CHECK(RealSys::recv(out.far.get(), buffer).bytes == 5);
  CHECK(std::equal(kHello.begin(), kHello.end(), buffer));
  REQUIRE(RealSys::shutdown_write(in.near.get()).done());
  REQUIRE(wait_for(in.far.get(), POLLIN) != 0);
  CHECK(RealSys::splice_in(in.far.get(), write, 1000).eof());
}

TEST_CASE("a full pipe and a dry socket give splice the same answer") {
  TcpPair in = tcp_pair();
  os::PipeStore store({1, 64 * 1024, UINT32_MAX});
  os::Pipe* const pipe = store.take();
  REQUIRE(pipe != nullptr);
  size_t in_pipe = 0;
  os::IoResult last = os::IoResult::blocked();
  // Until the pipe takes no more although the socket has more.
  for (;;) {
    fill(in.near.get());
    REQUIRE((wait_for(in.far.get(), POLLIN) & POLLIN) != 0);
    last = RealSys::splice_in(in.far.get(), pipe->write.get(), 1U << 20U);
    if (!last.done()) break;
    in_pipe += last.bytes;
  }
  CHECK(last.would_block());
  CHECK(os::unread_bytes(in.far.get()) > 0);
  CHECK(in_pipe >= pipe->capacity_bytes / 2);
  pipe->bytes = static_cast<uint32_t>(in_pipe);
  store.give(pipe);
  CHECK(store.open_count() == 0);
}

TEST_CASE("splicing to a dead socket with SIGPIPE blocked is EPIPE and kills nobody") {
  bool reset_told = false;
  bool pipe_error = false;
  // A thread like the engine's: it blocks the signal, and so it may stay pending until it ends.
  std::thread worker([&] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    TcpPair pair = tcp_pair();
    os::PipeStore store({1, 64 * 1024, UINT32_MAX});
    os::Pipe* const pipe = store.take();
    CHECK(pipe != nullptr);
    if (pipe == nullptr) return;
    CHECK(::write(pipe->write.get(), kHello.data(), kHello.size()) == 5);
    pipe->bytes = 5;
    os::abort_connection(std::move(pair.far));
    CHECK((wait_for(pair.near.get(), POLLIN) & POLLERR) != 0);
    reset_told = RealSys::splice_out(pipe->read.get(), pair.near.get(), 5).error == ECONNRESET;
    const os::IoResult second = RealSys::splice_out(pipe->read.get(), pair.near.get(), 5);
    pipe_error = second.failed() && second.error == EPIPE;
    store.give(pipe);
  });
  worker.join();
  CHECK(reset_told);
  CHECK(pipe_error);
}

TEST_CASE("datagram calls count messages and keep their boundaries") {
  os::ListenOptions options;
  options.transport = os::Transport::udp;
  const os::Listeners listener = os::open_listeners(v4(0), 1, options);
  os::ConnectStart client = os::connect_udp(listener.bound, nullptr, {});
  REQUIRE(client.outcome.state == os::ConnectState::connected);
  std::array<std::byte, 30> data{};
  iovec out[3] = {{data.data(), 10}, {data.data(), 0}, {data.data(), 30}};
  mmsghdr messages[3] = {};
  for (size_t i = 0; i < 3; i++) {
    messages[i].msg_hdr.msg_iov = &out[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  CHECK(RealSys::sendmmsg(client.fd.get(), messages).bytes == 3);
  REQUIRE(wait_for(listener.sockets[0].get(), POLLIN) != 0);
  std::byte buffers[8][64];
  iovec in[8];
  mmsghdr received[8] = {};
  for (size_t i = 0; i < 8; i++) {
    in[i] = {buffers[i], sizeof(buffers[i])};
    received[i].msg_hdr.msg_iov = &in[i];
    received[i].msg_hdr.msg_iovlen = 1;
  }
  CHECK(RealSys::recvmmsg(listener.sockets[0].get(), received).bytes == 3);
  CHECK(received[0].msg_len == 10);
  CHECK(received[1].msg_len == 0);
  CHECK(received[2].msg_len == 30);
  CHECK(RealSys::recvmmsg(listener.sockets[0].get(), received).would_block());
}

TEST_CASE("calls on a descriptor that is none fail with EBADF") {
  std::byte buffer[1] = {};
  mmsghdr message{};
  CHECK(RealSys::recv(-1, buffer).error == EBADF);
  CHECK(RealSys::send(-1, buffer).error == EBADF);
  CHECK(RealSys::splice_in(-1, -1, 1).error == EBADF);
  CHECK(RealSys::splice_out(-1, -1, 1).error == EBADF);
  CHECK(RealSys::shutdown_write(-1).error == EBADF);
  CHECK(RealSys::recvmmsg(-1, {&message, 1}).error == EBADF);
  CHECK(RealSys::sendmmsg(-1, {&message, 1}).error == EBADF);
}
