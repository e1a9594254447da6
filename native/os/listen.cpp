// Listening sockets: the exclusive SO_REUSEPORT group, and unix socket files.
//
// The group. bind(2) without SO_REUSEPORT conflicts with every socket on the address, of whatever
// owner; with it, it is let in beside sockets of the same user. So the first socket is bound
// without it and, for TCP, also listens before it is switched on: two TCP sockets with
// SO_REUSEADDR may both be bound as long as neither listens, and the kernel looks for conflicts
// once more in listen(). From then on the address is ours, and the others join. The first one is
// taken into the group when the second appears (net/core/sock_reuseport.c, reuseport_add_sock), as
// the tests show by counting.
#include "os/listen.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <optional>

#include "os/socket.h"

namespace sluice::os {

namespace {

Listeners failed(int error) {
  Listeners out;
  out.error = error;
  return out;
}

int as_backlog(uint32_t backlog) {
  // The kernel lowers it to net.core.somaxconn.
  return backlog == 0 || backlog > INT_MAX ? INT_MAX : static_cast<int>(backlog);
}

bool set_on(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

// What must be set before bind. 0, or the errno.
int prepare(int fd, const Address& address, const ListenOptions& options) {
  // TCP: connections of an earlier owner in TIME_WAIT do not block the address; a listener does.
  // UDP has no TIME_WAIT, and there SO_REUSEADDR would let others in.
  if (options.transport == Transport::tcp && !set_on(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return errno;
  if (address.family() == AF_INET6 && address.is_wildcard() &&
      !set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0)) {
    return errno;
  }
  if (options.transport == Transport::udp) {
    set_buffers(fd, options.udp_receive_buffer_bytes, options.udp_send_buffer_bytes);
    const bool v6 = address.family() == AF_INET6;
    if (!set_on(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1)) {
      return errno;
    }
  }
  return 0;
}

// Adds one more socket to `out`, which the first call makes exclusive. 0, or the errno.
int open_next(Listeners& out, const Address& address, bool others_follow,
              const ListenOptions& options) {
  const bool first = out.sockets.empty();
  const bool tcp = options.transport == Transport::tcp;
  const int type = tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd(::socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno;
  if (const int error = prepare(fd.get(), address, options); error != 0) return error;
  const bool join = !first || options.beside_own;
  if (join && !set_on(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return errno;
  if (::bind(fd.get(), address.get(), address.bytes()) != 0) return errno;
  if (tcp && ::listen(fd.get(), as_backlog(options.backlog)) != 0) return errno;
  if (first && others_follow && !set_on(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return errno;
  if (first) out.bound = local_address(fd.get());
  out.sockets.push_back(std::move(fd));
  return 0;
}

Listeners open_group(const Address& address, uint32_t count, const ListenOptions& options) {
  Listeners out;
  out.sockets.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    const int error = open_next(out, i == 0 ? address : out.bound, count > 1, options);
    if (error != 0) return failed(error);
  }
  return out;
}

// ---- Unix ---------------------------------------------------------------------------------------

constexpr socklen_t kUnixPathOffset = offsetof(sockaddr_un, sun_path);

// Empty for an abstract name.
std::string file_path(const Address& address) {
  const auto* un = reinterpret_cast<const sockaddr_un*>(address.get());
  if (address.bytes() <= kUnixPathOffset || un->sun_path[0] == '\0') return {};
  const size_t bytes = address.bytes() - kUnixPathOffset;
  return std::string(un->sun_path, ::strnlen(un->sun_path, bytes));
}

// Holds the directory of a socket file, so that of two processes that both find a dead socket
// file, the second does not remove the living one that the first has just put there. Advisory and
// best effort: a directory that we may not read, or that somebody holds for long, is gone without.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    fd_ = Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    constexpr int kTriesMax = 100;
    const timespec pause{0, 10'000'000};
    for (int i = 0; fd_.valid() && i < kTriesMax; i++) {
      if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return;
      ::nanosleep(&pause, nullptr);
    }
  }

 private:
  Fd fd_;  // closing it unlocks
};

enum class SocketFile : uint8_t { absent, dead, alive, not_a_socket, unknown };

SocketFile inspect(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? SocketFile::absent : SocketFile::unknown;
  }
  if (!S_ISSOCK(status.st_mode)) return SocketFile::not_a_socket;
  const auto address = Address::unix_path(path);
  if (!address) return SocketFile::unknown;
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SocketFile::unknown;
  if (::connect(fd.get(), address->get(), address->bytes()) == 0) return SocketFile::alive;
  if (errno == ECONNREFUSED) return SocketFile::dead;
  // EAGAIN: its queue is full, so it lives. EPROTOTYPE: a datagram socket of somebody.
  return errno == EAGAIN || errno == EPROTOTYPE ? SocketFile::alive : SocketFile::unknown;
}

// 0 when the path is free now, or the errno.
int clear_path(const std::string& path) {
  switch (inspect(path)) {
    case SocketFile::absent:
      return 0;
    case SocketFile::dead:
      return ::unlink(path.c_str()) == 0 ? 0 : errno;
    case SocketFile::alive:
      return EADDRINUSE;
    case SocketFile::not_a_socket:
      return ENOTSOCK;
    case SocketFile::unknown:
      break;
  }
  return 0;  // bind() says what is wrong
}

Listeners open_unix(const Address& address, uint32_t count, const ListenOptions& options) {
  if (options.transport != Transport::tcp) return failed(EPROTONOSUPPORT);
  const std::string path = file_path(address);
  // Until we listen: a bound socket that does not listen yet looks dead to the next one.
  std::optional<DirectoryLock> lock;
  if (!path.empty()) {
    lock.emplace(path);
    if (const int error = clear_path(path); error != 0) return failed(error);
  }
  Fd first(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!first.valid()) return failed(errno);
  if (::bind(first.get(), address.get(), address.bytes()) != 0) return failed(errno);
  int error = 0;
  // Before listen, so that no one gets in under the umask's looser permissions.
  if (!path.empty() && options.unix_mode != 0 &&
      ::chmod(path.c_str(), static_cast<mode_t>(options.unix_mode & 0777U)) != 0) {
    error = errno;
  }
  if (error == 0 && ::listen(first.get(), as_backlog(options.backlog)) != 0) error = errno;
  Listeners out;
  out.bound = local_address(first.get());
  out.unix_path = path;
  out.sockets.push_back(std::move(first));
  while (error == 0 && out.sockets.size() < count) {
    Fd copy(::fcntl(out.sockets.front().get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) error = errno;
    out.sockets.push_back(std::move(copy));
  }
  if (error == 0) return out;
  if (!path.empty()) ::unlink(path.c_str());
  return failed(error);
}

}  // namespace

Listeners open_listeners(const Address& address, uint32_t count, const ListenOptions& options) {
  if (count == 0) return failed(EINVAL);
  if (address.family() == AF_UNIX) return open_unix(address, count, options);
  if (address.family() != AF_INET && address.family() != AF_INET6) return failed(EAFNOSUPPORT);
  Listeners out = open_group(address, count, options);
  const bool no_ipv6 = out.error == EAFNOSUPPORT || out.error == EADDRNOTAVAIL;
  if (no_ipv6 && address.family() == AF_INET6 && address.is_wildcard() && !options.ipv6_only) {
    const uint8_t any[4] = {};
    return open_group(Address::ipv4(any, address.port()), count, options);
  }
  return out;
}

void admit_own(int fd) {
  set_on(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

void set_backlog(int fd, uint32_t backlog) {
  // On a listening socket this changes the backlog and nothing else.
  static_cast<void>(::listen(fd, as_backlog(backlog)));
}

void stop_listening(int fd) {
  // Fails only for a socket that does not listen, which is what was wanted.
  static_cast<void>(::shutdown(fd, SHUT_RDWR));
}

void remove_socket_file(const std::string& path) {
  if (path.empty()) return;
  const DirectoryLock lock(path);
  if (inspect(path) == SocketFile::dead) ::unlink(path.c_str());
}

}  // namespace sluice::os
