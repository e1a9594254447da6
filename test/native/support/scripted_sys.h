// ScriptedSys: RealSys's functions over a small kernel in memory, for code that is instantiated
// with it in tests. Streams, pipes and datagrams are byte-exact queues with limits; on top, single
// calls fail, block or fall short by script or by seed; events come edge-triggered, as epoll would
// report them, so that a loop which forgets to resume stands still and the test sees it.
//
//   ScriptedKernel kernel;                       // this thread's, while it lives
//   os::Fd client = kernel.open_stream({});
//   kernel.peer_send(client.get(), bytes);       // the other end acts through peer_*
//   kernel.script(Call::send, Outcome::blocked());
//   for (auto& ready : kernel.ready()) ...       // what epoll_wait would have returned
//   ScriptedSys::recv(client.get(), buffer);
//
// Descriptors are real ones (idle sockets, real pipes), known to the model by their inode: os::Fd
// may own them, PipeStore may make them, and a closed one answers EBADF.
#pragma once

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "os/address.h"
#include "os/check.h"
#include "os/fd.h"
#include "os/io_result.h"

namespace sluice::test {

enum class Call : uint8_t {
  recv,
  peek,
  send,
  splice_in,
  splice_out,
  shutdown_write,
  recvmmsg,
  sendmmsg,
};
inline constexpr size_t kCalls = 8;

// What one call shall come to, instead of what the model would do.
struct Outcome {
  enum class Kind : uint8_t { natural, blocked, at_most, failure };
  Kind kind = Kind::natural;
  size_t bytes = 0;
  int error = 0;
  static Outcome natural() { return {}; }
  static Outcome blocked() { return {Kind::blocked, 0, 0}; }
  // Bytes; messages for datagram calls.
  static Outcome at_most(size_t bytes) { return {Kind::at_most, bytes, 0}; }
  static Outcome failure(int error) { return {Kind::failure, 0, error}; }
};

// Outcomes by seed, for every call that no script speaks for. Percentages of calls.
struct Chaos {
  uint64_t seed = 0;
  uint32_t blocked_percent = 0;
  uint32_t short_percent = 0;
  uint32_t failure_percent = 0;  // of datagram calls, with one of `errors`
  std::vector<int> errors = {};
};

struct StreamLimits {
  size_t receive_bytes = 256 * 1024;  // what the other end may have sent unread
  size_t send_bytes = 256 * 1024;     // what we may have sent and the other end not taken
};

struct Ready {
  int fd = -1;
  uint32_t events = 0;  // EPOLL*
};

struct Datagram {
  std::vector<std::byte> payload;
  os::Address address;             // of the other end, where the caller named or asks for one
  std::vector<std::byte> control;  // ancillary data, as it stands in memory
};

class ScriptedKernel {
 public:
  ScriptedKernel() {
    SLUICE_CHECK(current_ == nullptr);
    current_ = this;
  }
  ~ScriptedKernel() { current_ = nullptr; }
  ScriptedKernel(const ScriptedKernel&) = delete;
  ScriptedKernel& operator=(const ScriptedKernel&) = delete;
  static ScriptedKernel& current() {
    SLUICE_CHECK(current_ != nullptr);
    return *current_;
  }

  // ---- Set-up ---------------------------------------------------------------------------------
  os::Fd open_stream(const StreamLimits& limits) {
    os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    Stream& stream = streams_[key_of(fd.get())];
    stream.fd = fd.get();
    stream.limits = limits;
    return fd;
  }
  os::Fd open_datagram() {
    os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    datagrams_[key_of(fd.get())] = {};
    return fd;
  }
  // Pages per slot of a pipe seen from now on: 4096, or more where the kernel coalesces.
  void set_slot_bytes(size_t bytes) { slot_bytes_ = bytes; }
  // One outcome for the next calls of this kind, in turn.
  void script(Call call, Outcome outcome) { scripts_[index(call)].push_back(outcome); }
  void chaos(const Chaos& chaos) {
    chaos_ = chaos;
    random_.seed(chaos.seed);
  }

  // ---- The other end of a stream --------------------------------------------------------------
  // One segment; answers how much fitted.
  size_t peer_send(int fd, std::span<const std::byte> bytes) {
    Stream& stream = stream_of(fd);
    const size_t taken = std::min(bytes.size(), stream.limits.receive_bytes - stream.unread);
    if (taken == 0) return 0;
    stream.segments.emplace_back(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    stream.unread += taken;
    stream.edge = true;
    return taken;
  }
  void peer_finish(int fd) {
    stream_of(fd).fin_received = true;
    stream_of(fd).edge = true;
  }
  // RST: what was received stays readable, then the error is told once.
  void peer_reset(int fd, int error = ECONNRESET) {
    Stream& stream = stream_of(fd);
    stream.pending_error = error;
    stream.dead = true;
    stream.edge = true;
  }
  // Are the last bytes written held back for a FIN to come?
  [[nodiscard]] bool waits_for_fin(int fd) { return stream_of(fd).waits_for_fin; }
  std::vector<std::byte> peer_take(int fd, size_t bytes_max) {
    Stream& stream = stream_of(fd);
    const auto count = static_cast<ptrdiff_t>(std::min(bytes_max, stream.sent.size()));
    std::vector<std::byte> out(stream.sent.begin(), stream.sent.begin() + count);
    stream.sent.erase(stream.sent.begin(), stream.sent.begin() + count);
    // As sk_stream_write_space: only a writer that was turned away is told, and only once there is
    // room worth a wake-up.
    if (stream.turned_away && room(stream) * 3 >= stream.limits.send_bytes) {
      stream.turned_away = false;
      stream.edge = true;
    }
    return out;
  }
  // Our FIN, after everything before it has been taken.
  [[nodiscard]] bool peer_sees_fin(int fd) {
    const Stream& stream = stream_of(fd);
    return stream.write_shut && stream.sent.empty();
  }

  // ---- The other end of datagrams -------------------------------------------------------------
  void peer_send_datagram(int fd, Datagram datagram) {
    datagrams_.at(key_of(fd)).received.push_back(std::move(datagram));
  }
  std::vector<Datagram> peer_take_datagrams(int fd) {
    return std::exchange(datagrams_.at(key_of(fd)).sent, {});
  }

  // ---- What a test asks -----------------------------------------------------------------------
  // Streams with news since the last call, each with its whole state, as edge-triggered epoll.
  std::vector<Ready> ready() {
    std::vector<Ready> out;
    for (auto& [key, stream] : streams_) {
      if (!std::exchange(stream.edge, false) || key_of(stream.fd) != key) continue;
      out.push_back({stream.fd, mask(stream)});
    }
    return out;
  }
  [[nodiscard]] uint64_t calls(Call call) const { return calls_[index(call)]; }
  [[nodiscard]] size_t unread(int fd) { return stream_of(fd).unread; }
  [[nodiscard]] size_t pipe_bytes(int pipe_fd) {
    size_t bytes = 0;
    for (const auto& slot : pipe_of(pipe_fd).slots) bytes += slot.size();
    return bytes;
  }

  // ---- The calls ------------------------------------------------------------------------------
  os::IoResult recv(int fd, std::span<std::byte> into, bool keep) {
    SLUICE_CHECK(!into.empty());
    Stream* const stream = find(streams_, fd);
    if (stream == nullptr) return os::IoResult::failure(EBADF);
    size_t limit = into.size();
    if (const auto fault = intervene(keep ? Call::peek : Call::recv, stream, limit)) return *fault;
    if (stream->unread == 0) return read_end(*stream);
    size_t copied = 0;
    for (const auto& segment : stream->segments) {
      const size_t part = std::min(limit - copied, segment.size());
      std::memcpy(into.data() + copied, segment.data(), part);
      copied += part;
      if (copied == limit) break;
    }
    if (!keep) consume(*stream, copied);
    return os::IoResult::moved(copied);
  }

  os::IoResult send(int fd, std::span<const std::byte> from) {
    SLUICE_CHECK(!from.empty());
    Stream* const stream = find(streams_, fd);
    if (stream == nullptr) return os::IoResult::failure(EBADF);
    size_t limit = from.size();
    if (const auto fault = intervene(Call::send, stream, limit)) return *fault;
    if (const auto end = write_end(*stream)) return *end;
    const size_t moved = std::min(limit, room(*stream));
    if (moved == 0) return turn_away(*stream);
    stream->sent.insert(stream->sent.end(), from.begin(),
                        from.begin() + static_cast<ptrdiff_t>(moved));
    stream->waits_for_fin = false;
    if (moved < from.size()) stream->turned_away = true;
    return os::IoResult::moved(moved);
  }

  os::IoResult send_before_fin(int fd, std::span<const std::byte> from) {
    const os::IoResult sent = send(fd, from);
    if (sent.done()) stream_of(fd).waits_for_fin = true;
    return sent;
  }

  os::IoResult splice_in(int socket_fd, int pipe_fd, size_t bytes_max) {
    SLUICE_CHECK(bytes_max > 0);
    Stream* const stream = find(streams_, socket_fd);
    if (stream == nullptr || key_of(pipe_fd) == 0) return os::IoResult::failure(EBADF);
    Pipe& pipe = pipe_of(pipe_fd);
    size_t limit = bytes_max;
    if (const auto fault = intervene(Call::splice_in, stream, limit)) return *fault;
    if (stream->unread == 0) return read_end(*stream);
    size_t moved = 0;
    while (moved < limit && stream->unread > 0 && pipe.slots.size() < pipe.slots_max) {
      // Each segment takes slots of its own, however small it is.
      const auto& segment = stream->segments.front();
      const size_t part = std::min({limit - moved, segment.size(), pipe.slot_bytes});
      pipe.slots.emplace_back(segment.begin(), segment.begin() + static_cast<ptrdiff_t>(part));
      consume(*stream, part);
      moved += part;
    }
    // A full pipe: the same answer as a dry socket, and no event will follow.
    return moved > 0 ? os::IoResult::moved(moved) : os::IoResult::blocked();
  }

  os::IoResult splice_out(int pipe_fd, int socket_fd, size_t bytes_max) {
    SLUICE_CHECK(bytes_max > 0);
    Stream* const stream = find(streams_, socket_fd);
    if (stream == nullptr || key_of(pipe_fd) == 0) return os::IoResult::failure(EBADF);
    Pipe& pipe = pipe_of(pipe_fd);
    size_t limit = bytes_max;
    if (const auto fault = intervene(Call::splice_out, stream, limit)) return *fault;
    if (pipe.slots.empty()) return os::IoResult::blocked();
    if (const auto end = write_end(*stream)) return *end;
    size_t moved = 0;
    while (moved < limit && !pipe.slots.empty() && room(*stream) > 0) {
      auto& slot = pipe.slots.front();
      const size_t part = std::min({limit - moved, slot.size(), room(*stream)});
      const auto end = slot.begin() + static_cast<ptrdiff_t>(part);
      stream->sent.insert(stream->sent.end(), slot.begin(), end);
      slot.erase(slot.begin(), end);
      if (slot.empty()) pipe.slots.pop_front();
      moved += part;
    }
    if (moved == 0) return turn_away(*stream);
    // Short of what was asked and there: the kernel has met a full buffer on the way.
    if (!pipe.slots.empty() && moved < bytes_max) stream->turned_away = true;
    return os::IoResult::moved(moved);
  }

  os::IoResult shutdown_write(int fd) {
    Stream* const stream = find(streams_, fd);
    if (stream == nullptr) return os::IoResult::failure(EBADF);
    size_t limit = 1;
    if (const auto fault = intervene(Call::shutdown_write, stream, limit)) return *fault;
    if (stream->dead) return os::IoResult::failure(ENOTCONN);
    stream->write_shut = true;
    stream->edge = true;
    return os::IoResult::moved(0);
  }

  os::IoResult recvmmsg(int fd, std::span<mmsghdr> messages) {
    SLUICE_CHECK(!messages.empty());
    Datagrams* const queue = find(datagrams_, fd);
    if (queue == nullptr) return os::IoResult::failure(EBADF);
    size_t limit = messages.size();
    if (const auto fault = intervene(Call::recvmmsg, nullptr, limit)) return *fault;
    size_t count = 0;
    for (; count < limit && !queue->received.empty(); count++) {
      deliver(queue->received.front(), messages[count]);
      queue->received.pop_front();
    }
    return count > 0 ? os::IoResult::moved(count) : os::IoResult::blocked();
  }

  os::IoResult sendmmsg(int fd, std::span<mmsghdr> messages) {
    SLUICE_CHECK(!messages.empty());
    Datagrams* const queue = find(datagrams_, fd);
    if (queue == nullptr) return os::IoResult::failure(EBADF);
    size_t limit = messages.size();
    if (const auto fault = intervene(Call::sendmmsg, nullptr, limit)) return *fault;
    for (size_t i = 0; i < limit; i++) queue->sent.push_back(collect(messages[i]));
    return os::IoResult::moved(limit);
  }

 private:
  struct Stream {
    int fd = -1;
    StreamLimits limits;
    std::deque<std::vector<std::byte>> segments;  // received, unread
    size_t unread = 0;
    std::deque<std::byte> sent;  // not yet taken by the other end
    bool fin_received = false;
    bool write_shut = false;
    bool waits_for_fin = false;  // written last by send_before_fin
    bool dead = false;           // reset: writing is EPIPE, reading ends, once the error was told
    int pending_error = 0;
    bool turned_away = false;  // SOCK_NOSPACE
    bool edge = true;          // news for epoll; registration itself is news
  };
  struct Pipe {
    std::deque<std::vector<std::byte>> slots;
    size_t slots_max = 0;
    size_t slot_bytes = 0;
  };
  struct Datagrams {
    std::deque<Datagram> received;
    std::vector<Datagram> sent;
  };

  static size_t index(Call call) { return static_cast<size_t>(call); }

  // 0 for a descriptor that is closed.
  static uint64_t key_of(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
  }
  template <typename Map>
  static typename Map::mapped_type* find(Map& map, int fd) {
    const auto found = map.find(key_of(fd));
    return found == map.end() ? nullptr : &found->second;
  }
  Stream& stream_of(int fd) { return streams_.at(key_of(fd)); }
  // Both ends of a pipe have one inode.
  Pipe& pipe_of(int fd) {
    const auto [entry, fresh] = pipes_.try_emplace(key_of(fd));
    if (fresh) {
      entry->second.slots_max = static_cast<size_t>(::fcntl(fd, F_GETPIPE_SZ)) / 4096;
      entry->second.slot_bytes = slot_bytes_;
    }
    return entry->second;
  }

  static size_t room(const Stream& stream) {
    return stream.limits.send_bytes - std::min(stream.sent.size(), stream.limits.send_bytes);
  }
  static void consume(Stream& stream, size_t bytes) {
    stream.unread -= bytes;
    while (bytes > 0) {
      auto& segment = stream.segments.front();
      const size_t part = std::min(bytes, segment.size());
      segment.erase(segment.begin(), segment.begin() + static_cast<ptrdiff_t>(part));
      if (segment.empty()) stream.segments.pop_front();
      bytes -= part;
    }
  }
  static os::IoResult read_end(Stream& stream) {
    if (stream.pending_error != 0) {
      return os::IoResult::failure(std::exchange(stream.pending_error, 0));
    }
    return stream.dead || stream.fin_received ? os::IoResult::ended() : os::IoResult::blocked();
  }
  static std::optional<os::IoResult> write_end(Stream& stream) {
    if (stream.pending_error != 0) {
      return os::IoResult::failure(std::exchange(stream.pending_error, 0));
    }
    if (stream.dead || stream.write_shut) return os::IoResult::failure(EPIPE);
    return std::nullopt;
  }
  static os::IoResult turn_away(Stream& stream) {
    stream.turned_away = true;
    return os::IoResult::blocked();
  }
  // As tcp_poll.
  static uint32_t mask(const Stream& stream) {
    uint32_t events = 0;
    if (stream.unread > 0 || stream.fin_received || stream.dead) events |= EPOLLIN;
    if (stream.fin_received || stream.dead) events |= EPOLLRDHUP;
    if (stream.dead || (stream.fin_received && stream.write_shut)) events |= EPOLLHUP;
    if (stream.pending_error != 0) events |= EPOLLERR;
    if (stream.write_shut || stream.dead || room(stream) * 3 >= stream.limits.send_bytes) {
      events |= EPOLLOUT;
    }
    return events;
  }

  // The script's or the seed's word on this call: an answer, or a smaller `limit`.
  std::optional<os::IoResult> intervene(Call call, Stream* stream, size_t& limit) {
    calls_[index(call)]++;
    const Outcome outcome = next_outcome(call, stream != nullptr, limit);
    switch (outcome.kind) {
      case Outcome::Kind::natural:
        return std::nullopt;
      case Outcome::Kind::at_most:
        limit = std::clamp<size_t>(outcome.bytes, 1, limit);
        // Like a kernel that gave less than it had: it has more to tell.
        if (stream != nullptr) stream->edge = true;
        return std::nullopt;
      case Outcome::Kind::blocked:
        // An edge follows, or an honest caller would wait for ever.
        if (stream != nullptr) {
          stream->edge = true;
          if (call == Call::send || call == Call::splice_out) stream->turned_away = true;
        }
        return os::IoResult::blocked();
      case Outcome::Kind::failure:
        break;
    }
    if (stream != nullptr) {
      stream->dead = true;
      stream->pending_error = 0;  // told now
      stream->edge = true;
    }
    return os::IoResult::failure(outcome.error);
  }
  Outcome next_outcome(Call call, bool on_stream, size_t limit) {
    auto& script = scripts_[index(call)];
    if (!script.empty()) {
      const Outcome outcome = script.front();
      script.pop_front();
      return outcome;
    }
    if (call == Call::shutdown_write) return Outcome::natural();
    const auto dice = static_cast<uint32_t>(random_() % 100);
    if (dice < chaos_.blocked_percent) return Outcome::blocked();
    const uint32_t short_below = chaos_.blocked_percent + chaos_.short_percent;
    if (dice < short_below) return Outcome::at_most(1 + random_() % limit);
    if (!on_stream && dice < short_below + chaos_.failure_percent && !chaos_.errors.empty()) {
      return Outcome::failure(chaos_.errors[random_() % chaos_.errors.size()]);
    }
    return Outcome::natural();
  }

  static void deliver(const Datagram& datagram, mmsghdr& message) {
    msghdr& header = message.msg_hdr;
    size_t copied = 0;
    for (size_t i = 0; i < header.msg_iovlen; i++) {
      const size_t part = std::min(datagram.payload.size() - copied, header.msg_iov[i].iov_len);
      if (part == 0) break;
      std::memcpy(header.msg_iov[i].iov_base, datagram.payload.data() + copied, part);
      copied += part;
    }
    message.msg_len = static_cast<unsigned>(copied);
    header.msg_flags = copied < datagram.payload.size() ? MSG_TRUNC : 0;
    const socklen_t name_room = header.msg_namelen;
    if (header.msg_name != nullptr) {
      header.msg_namelen = datagram.address.bytes();
      std::memcpy(header.msg_name, datagram.address.get(),
                  std::min(name_room, datagram.address.bytes()));
    }
    const size_t control = std::min<size_t>(header.msg_controllen, datagram.control.size());
    if (control > 0) std::memcpy(header.msg_control, datagram.control.data(), control);
    if (control < datagram.control.size()) header.msg_flags |= MSG_CTRUNC;
    header.msg_controllen = control;
  }
  static Datagram collect(mmsghdr& message) {
    const msghdr& header = message.msg_hdr;
    Datagram out;
    for (size_t i = 0; i < header.msg_iovlen; i++) {
      const auto* first = static_cast<const std::byte*>(header.msg_iov[i].iov_base);
      out.payload.insert(out.payload.end(), first, first + header.msg_iov[i].iov_len);
    }
    out.address =
        os::Address::from(static_cast<const sockaddr*>(header.msg_name), header.msg_namelen);
    const auto* control = static_cast<const std::byte*>(header.msg_control);
    if (control != nullptr) out.control.assign(control, control + header.msg_controllen);
    message.msg_len = static_cast<unsigned>(out.payload.size());
    return out;
  }

  static inline thread_local ScriptedKernel* current_ = nullptr;
  std::map<uint64_t, Stream> streams_;
  std::map<uint64_t, Pipe> pipes_;
  std::map<uint64_t, Datagrams> datagrams_;
  std::deque<Outcome> scripts_[kCalls];
  uint64_t calls_[kCalls] = {};
  size_t slot_bytes_ = 4096;
  Chaos chaos_;
  std::mt19937_64 random_;
};

struct ScriptedSys {
  static os::IoResult recv(int fd, std::span<std::byte> into) {
    return ScriptedKernel::current().recv(fd, into, false);
  }
  static os::IoResult peek(int fd, std::span<std::byte> into) {
    return ScriptedKernel::current().recv(fd, into, true);
  }
  static os::IoResult send(int fd, std::span<const std::byte> from) {
    return ScriptedKernel::current().send(fd, from);
  }
  static os::IoResult send_before_fin(int fd, std::span<const std::byte> from) {
    return ScriptedKernel::current().send_before_fin(fd, from);
  }
  static os::IoResult splice_in(int socket_fd, int pipe_write_fd, size_t bytes_max) {
    return ScriptedKernel::current().splice_in(socket_fd, pipe_write_fd, bytes_max);
  }
  static os::IoResult splice_out(int pipe_read_fd, int socket_fd, size_t bytes_max) {
    return ScriptedKernel::current().splice_out(pipe_read_fd, socket_fd, bytes_max);
  }
  static os::IoResult shutdown_write(int fd) {
    return ScriptedKernel::current().shutdown_write(fd);
  }
  static os::IoResult recvmmsg(int fd, std::span<mmsghdr> messages) {
    return ScriptedKernel::current().recvmmsg(fd, messages);
  }
  static os::IoResult sendmmsg(int fd, std::span<mmsghdr> messages) {
    return ScriptedKernel::current().sendmmsg(fd, messages);
  }
};

}  // namespace sluice::test
