// Thread: a named native thread that takes no signals, joined by its owner.
#pragma once

#include <pthread.h>

namespace sluice::engine {

class Thread {
 public:
  using Body = void (*)(void* context);

  Thread() = default;
  ~Thread() { join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // `name` has at most 15 characters (TASK_COMM_LEN). Answers 0 or an error number (EAGAIN: the
  // limit of threads is reached).
  [[nodiscard]] int start(const char* name, Body body, void* context);
  // Waits for the body to return. Idempotent; called by the owner only.
  void join();

 private:
  static void* enter(void* self);

  pthread_t thread_ = {};
  bool running_ = false;
  Body body_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace sluice::engine
