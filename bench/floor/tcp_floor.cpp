// The floor for TCP: the cheapest relay that moves bytes correctly on its happy path. No policy, no
// counters, no timeouts, no limits, no care for errors: what a relay costs at the very least.
// Copies small reads; moves a direction by splice after three full reads in a row.
//   tcp_floor --listen 0.0.0.0:8080 --target 10.0.0.2:9000
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"

namespace sluice::bench {
namespace {

constexpr size_t kScratchBytes = size_t{64} << 10U;
constexpr int kPipeBytes = 1 << 20;
constexpr uint32_t kFullReadsToSplice = 3;

struct Pair;

// One socket; what is read from it goes to `other`.
struct Side {
  os::Fd fd;
  Pair* pair = nullptr;
  Side* other = nullptr;
  std::string unsent;  // read here, not yet taken by the other side
  os::Fd pipe_in;
  os::Fd pipe_out;
  size_t pipe_bytes = 0;
  uint32_t full_reads = 0;
  bool ended = false;     // this side has sent its FIN
  bool finished = false;  // and it has been passed on
};

struct Pair {
  Side client;
  Side target;
  bool closed = false;
};

std::vector<char>& scratch() {
  static std::vector<char> bytes(kScratchBytes);
  return bytes;
}

enum class Step { again, wait, broken };

// Moves on what was read earlier.
Step flush(Side& from) {
  const int to = from.other->fd.get();
  while (from.pipe_bytes > 0) {
    const ssize_t moved = splice(from.pipe_out.get(), nullptr, to, nullptr, from.pipe_bytes,
                                 SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved < 0) return errno == EAGAIN ? Step::wait : Step::broken;
    from.pipe_bytes -= static_cast<size_t>(moved);
  }
  if (!from.unsent.empty()) {
    const ssize_t sent = send(to, from.unsent.data(), from.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? Step::wait : Step::broken;
    from.unsent.erase(0, static_cast<size_t>(sent));
    if (!from.unsent.empty()) return Step::wait;
  }
  return Step::again;
}

Step copy(Side& from) {
  std::vector<char>& bytes = scratch();
  const ssize_t received = recv(from.fd.get(), bytes.data(), bytes.size(), 0);
  if (received < 0) return errno == EAGAIN ? Step::wait : Step::broken;
  if (received == 0) {
    from.ended = true;
    return Step::wait;
  }
  const auto size = static_cast<size_t>(received);
  from.full_reads = size == bytes.size() ? from.full_reads + 1 : 0;
  const ssize_t sent = send(from.other->fd.get(), bytes.data(), size, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return Step::broken;
  const size_t taken = sent < 0 ? 0 : static_cast<size_t>(sent);
  if (taken < size) {
    from.unsent.assign(bytes.data() + taken, size - taken);
    return Step::wait;
  }
  // A short read has emptied the socket: the next edge tells of more.
  return size == bytes.size() ? Step::again : Step::wait;
}

Step move(Side& from) {
  if (!from.pipe_in.valid()) {
    int ends[2];
    must(pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
    from.pipe_out = os::Fd(ends[0]);
    from.pipe_in = os::Fd(ends[1]);
    must(fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes), "F_SETPIPE_SZ");
  }
  // The pipe is empty here (flush), so "would block" can only mean an empty socket.
  const ssize_t moved = splice(from.fd.get(), nullptr, from.pipe_in.get(), nullptr, kPipeBytes,
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (moved < 0) return errno == EAGAIN ? Step::wait : Step::broken;
  if (moved == 0) {
    from.ended = true;
    return Step::wait;
  }
  from.pipe_bytes = static_cast<size_t>(moved);
  return Step::again;
}

// False when the pair is of no use any more.
bool relay(Side& from) {
  while (true) {
    Step step = flush(from);
    if (step == Step::again && !from.ended) {
      step = from.full_reads >= kFullReadsToSplice ? move(from) : copy(from);
    }
    if (step == Step::broken) return false;
    const bool empty = from.pipe_bytes == 0 && from.unsent.empty();
    if (from.ended && empty) {
      if (!from.finished) shutdown(from.other->fd.get(), SHUT_WR);
      from.finished = true;
      return !from.other->finished;
    }
    if (step == Step::wait) return true;
  }
}

class Floor {
 public:
  Floor(const sockaddr_in& listen, const sockaddr_in& target)
      : target_(target), epoll_(open_epoll()), listener_(listen_tcp(listen)) {
    watch(epoll_.get(), listener_.get(), EPOLLIN, 0);
  }

  void run() {
    epoll_event events[256];
    while (true) {
      const int ready = epoll_wait(epoll_.get(), events, 256, -1);
      for (int i = 0; i < ready; i++) {
        if (events[i].data.u64 == 0) {
          accept_all();
        } else {
          serve(*reinterpret_cast<Side*>(events[i].data.u64));
        }
      }
      // Only now: another event of this batch may be for the same pair.
      for (Pair* pair : closed_) delete pair;
      closed_.clear();
    }
  }

 private:
  void accept_all() {
    for (int fd = 0; (fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      auto* pair = new Pair;
      pair->client.fd = os::Fd(fd);
      set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      pair->target.fd = open_tcp();
      if (start_connect(pair->target.fd.get(), target_) != 0 && errno != EINPROGRESS) {
        stop_on_error("connect");
      }
      pair->client.pair = pair->target.pair = pair;
      pair->client.other = &pair->target;
      pair->target.other = &pair->client;
      for (Side* side : {&pair->client, &pair->target}) {
        watch(epoll_.get(), side->fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
              reinterpret_cast<uint64_t>(side));
      }
    }
  }

  void serve(Side& side) {
    Pair* pair = side.pair;
    if (pair->closed) return;
    // Readable: this side's bytes; writable: the other's that wait.
    if (relay(side) && relay(*side.other)) return;
    pair->closed = true;
    pair->client.fd.reset();
    pair->target.fd.reset();
    closed_.push_back(pair);
  }

  sockaddr_in target_;
  os::Fd epoll_;
  os::Fd listener_;
  std::vector<Pair*> closed_;
};

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  using namespace sluice::bench;
  const Arguments arguments(count, values);
  Floor relay(parse_endpoint(arguments.text("listen")), parse_endpoint(arguments.text("target")));
  relay.run();
}
