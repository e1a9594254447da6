// The scripted kernel itself: what the pumps are tested over must behave like the real one.
#include "support/scripted_sys.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "os/pipe.h"

using namespace sluice;
using namespace sluice::test;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}
std::string read_text(int fd, size_t bytes_max = 1000) {
  std::vector<std::byte> buffer(bytes_max);
  const os::IoResult result = ScriptedSys::recv(fd, buffer);
  return result.done() ? text_of(std::span(buffer).first(result.bytes)) : std::string();
}

}  // namespace

TEST_CASE("a scripted stream keeps bytes in order, peeks without taking, and ends after the data") {
  ScriptedKernel kernel;
  const os::Fd fd = kernel.open_stream({});
  std::byte buffer[4];
  CHECK(ScriptedSys::recv(fd.get(), buffer).would_block());
  kernel.peer_send(fd.get(), bytes_of("hello "));
  kernel.peer_send(fd.get(), bytes_of("world"));
  kernel.peer_finish(fd.get());
  CHECK(ScriptedSys::peek(fd.get(), buffer).bytes == 4);
  CHECK(read_text(fd.get(), 3) == "hel");
  CHECK(read_text(fd.get()) == "lo world");
  CHECK(ScriptedSys::recv(fd.get(), buffer).eof());
  CHECK(ScriptedSys::recv(fd.get(), buffer).eof());
}

TEST_CASE("a scripted reset leaves what was received readable, then fails once, then has ended") {
  ScriptedKernel kernel;
  const os::Fd fd = kernel.open_stream({});
  kernel.peer_send(fd.get(), bytes_of("last words"));
  kernel.peer_reset(fd.get());
  const auto ready = kernel.ready();
  REQUIRE(ready.size() == 1);
  CHECK(ready[0].events == (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLOUT));
  CHECK(read_text(fd.get()) == "last words");
  std::byte buffer[4];
  CHECK(ScriptedSys::recv(fd.get(), buffer).error == ECONNRESET);
  CHECK(ScriptedSys::recv(fd.get(), buffer).eof());
  CHECK(ScriptedSys::send(fd.get(), bytes_of("x")).error == EPIPE);
}

TEST_CASE("a scripted send buffer fills, and only a writer that was turned away hears of room") {
  ScriptedKernel kernel;
  const os::Fd fd = kernel.open_stream({.receive_bytes = 100, .send_bytes = 9});
  CHECK(kernel.ready().size() == 1);  // registration
  CHECK(ScriptedSys::send(fd.get(), bytes_of("12345")).bytes == 5);
  kernel.peer_take(fd.get(), 100);
  CHECK(kernel.ready().empty());
  CHECK(ScriptedSys::send(fd.get(), bytes_of("0123456789")).bytes == 9);
  CHECK(ScriptedSys::send(fd.get(), bytes_of("9")).would_block());
  CHECK(text_of(kernel.peer_take(fd.get(), 2)) == "01");
  CHECK(kernel.ready().empty());  // too little room to wake anyone
  CHECK(text_of(kernel.peer_take(fd.get(), 2)) == "23");
  const auto ready = kernel.ready();
  REQUIRE(ready.size() == 1);
  CHECK((ready[0].events & EPOLLOUT) != 0);
  CHECK(ScriptedSys::shutdown_write(fd.get()).done());
  CHECK(!kernel.peer_sees_fin(fd.get()));
  CHECK(text_of(kernel.peer_take(fd.get(), 100)) == "45678");
  CHECK(kernel.peer_sees_fin(fd.get()));
  CHECK(ScriptedSys::send(fd.get(), bytes_of("x")).error == EPIPE);
}

TEST_CASE("a scripted pipe is full by slots, and says the same as a dry socket") {
  ScriptedKernel kernel;
  const os::Fd from = kernel.open_stream({});
  const os::Fd to = kernel.open_stream({.receive_bytes = 1, .send_bytes = 20});
  os::PipeStore store({.pipes_max = 1, .pipe_bytes = 64 * 1024});
  os::Pipe* const pipe = store.take();
  REQUIRE(pipe != nullptr);
  CHECK(ScriptedSys::splice_in(from.get(), pipe->write.get(), 1000).would_block());
  for (int i = 0; i < 20; i++) kernel.peer_send(from.get(), bytes_of("ab"));
  CHECK(ScriptedSys::splice_in(from.get(), pipe->write.get(), 1000).bytes == 32);  // 16 slots
  CHECK(ScriptedSys::splice_in(from.get(), pipe->write.get(), 1000).would_block());
  CHECK(kernel.unread(from.get()) == 8);
  CHECK(ScriptedSys::splice_out(pipe->read.get(), to.get(), 1000).bytes == 20);
  CHECK(ScriptedSys::splice_out(pipe->read.get(), to.get(), 1000).would_block());
  CHECK(kernel.pipe_bytes(pipe->read.get()) == 12);
  CHECK(kernel.peer_take(to.get(), 100).size() == 20);
  CHECK(ScriptedSys::splice_in(from.get(), pipe->write.get(), 5).bytes == 5);
  CHECK(ScriptedSys::splice_out(pipe->read.get(), to.get(), 1000).bytes == 17);
  CHECK(ScriptedSys::splice_out(pipe->read.get(), to.get(), 1000).would_block());
}

TEST_CASE("scripted outcomes come in turn, and a blocked call is followed by an edge") {
  ScriptedKernel kernel;
  const os::Fd fd = kernel.open_stream({});
  kernel.peer_send(fd.get(), bytes_of("abcdef"));
  kernel.ready();
  kernel.script(Call::recv, Outcome::blocked());
  kernel.script(Call::recv, Outcome::at_most(2));
  kernel.script(Call::recv, Outcome::natural());
  kernel.script(Call::recv, Outcome::failure(ETIMEDOUT));
  std::byte buffer[8];
  CHECK(ScriptedSys::recv(fd.get(), buffer).would_block());
  CHECK(kernel.ready().size() == 1);
  CHECK(read_text(fd.get()) == "ab");
  CHECK(read_text(fd.get()) == "cdef");
  CHECK(ScriptedSys::recv(fd.get(), buffer).error == ETIMEDOUT);
  CHECK(ScriptedSys::send(fd.get(), bytes_of("x")).error == EPIPE);
  CHECK(kernel.calls(Call::recv) == 4);
}

TEST_CASE("a closed descriptor is not a stream any more") {
  ScriptedKernel kernel;
  os::Fd fd = kernel.open_stream({});
  const int number = fd.get();
  fd.reset();
  std::byte buffer[1];
  CHECK(ScriptedSys::recv(number, buffer).error == EBADF);
  CHECK(ScriptedSys::send(number, buffer).error == EBADF);
  CHECK(kernel.ready().empty());
}

TEST_CASE("a relay over a chaotic scripted kernel is byte-exact") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    CAPTURE(seed);
    ScriptedKernel kernel;
    kernel.chaos({.seed = seed, .blocked_percent = 20, .short_percent = 30});
    const os::Fd from = kernel.open_stream({.receive_bytes = 500, .send_bytes = 500});
    const os::Fd to = kernel.open_stream({.receive_bytes = 500, .send_bytes = 300});
    std::mt19937_64 random(seed);
    std::vector<std::byte> input(20'000);
    for (std::byte& byte : input) byte = static_cast<std::byte>(random());
    std::vector<std::byte> output;
    std::vector<std::byte> tail;
    size_t given = 0;
    while (output.size() < input.size()) {
      given += kernel.peer_send(from.get(), std::span(input).subspan(given).first(std::min<size_t>(
                                                random() % 400, input.size() - given)));
      std::byte buffer[128];
      if (tail.empty()) {
        const os::IoResult result = ScriptedSys::recv(from.get(), buffer);
        if (result.done()) tail.assign(buffer, buffer + result.bytes);
      }
      if (!tail.empty()) {
        const os::IoResult result = ScriptedSys::send(to.get(), tail);
        if (result.done())
          tail.erase(tail.begin(), tail.begin() + static_cast<ptrdiff_t>(result.bytes));
      }
      const auto taken = kernel.peer_take(to.get(), random() % 200);
      output.insert(output.end(), taken.begin(), taken.end());
    }
    CHECK(output == input);
  }
}

TEST_CASE("scripted datagrams keep their boundaries, addresses and control data") {
  ScriptedKernel kernel;
  const os::Fd fd = kernel.open_datagram();
  const uint8_t ip[4] = {192, 0, 2, 1};
  const os::Address client = os::Address::ipv4(ip, 5353);
  const auto text = bytes_of("question");
  kernel.peer_send_datagram(fd.get(),
                            {{text.begin(), text.end()}, client, std::vector<std::byte>(24)});
  kernel.peer_send_datagram(fd.get(), {{}, client, {}});
  std::byte buffers[3][4];
  std::byte control[3][32];
  sockaddr_storage names[3];
  iovec vectors[3];
  mmsghdr messages[3] = {};
  for (size_t i = 0; i < 3; i++) {
    vectors[i] = {buffers[i], sizeof(buffers[i])};
    messages[i].msg_hdr = {&names[i], sizeof(names[i]), &vectors[i], 1, control[i], 32, 0};
  }
  CHECK(ScriptedSys::recvmmsg(fd.get(), messages).bytes == 2);
  CHECK(messages[0].msg_len == 4);
  CHECK((messages[0].msg_hdr.msg_flags & MSG_TRUNC) != 0);
  CHECK(messages[0].msg_hdr.msg_controllen == 24);
  CHECK(messages[1].msg_len == 0);
  CHECK(os::Address::from(reinterpret_cast<sockaddr*>(&names[1]),
                          messages[1].msg_hdr.msg_namelen) == client);
  CHECK(ScriptedSys::recvmmsg(fd.get(), messages).would_block());

  vectors[0].iov_len = 2;
  messages[0].msg_hdr.msg_controllen = 0;
  kernel.script(Call::sendmmsg, Outcome::failure(ENOBUFS));
  CHECK(ScriptedSys::sendmmsg(fd.get(), {messages, 1}).error == ENOBUFS);
  CHECK(ScriptedSys::sendmmsg(fd.get(), {messages, 1}).bytes == 1);
  const auto sent = kernel.peer_take_datagrams(fd.get());
  REQUIRE(sent.size() == 1);
  CHECK(text_of(sent[0].payload) == "qu");
  CHECK(sent[0].address == client);
}
