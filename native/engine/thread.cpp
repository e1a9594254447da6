// Threads over pthreads: std::thread cannot report a failed start without exceptions.
#include "engine/thread.h"

#include <csignal>
#include <initializer_list>

namespace sluice::engine {
namespace {

// Every signal that is sent to the process must find a thread of Node's, whose handlers run on the
// event loop; and a write to a dead peer must not end the process. What stays open are the faults
// of the thread itself: blocking those would only kill the process without its crash report.
sigset_t signals_to_block() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    sigdelset(&set, fault);
  }
  return set;
}

}  // namespace

int Thread::start(const char* name, Body body, void* context) {
  body_ = body;
  context_ = context;
  // A new thread inherits the mask, so that there is no moment in which it takes signals.
  const sigset_t blocked = signals_to_block();
  sigset_t previous;
  pthread_sigmask(SIG_SETMASK, &blocked, &previous);
  const int error = pthread_create(&thread_, nullptr, &Thread::enter, this);
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (error != 0) return error;
  running_ = true;
  // Fails only for a name that is too long.
  static_cast<void>(pthread_setname_np(thread_, name));
  return 0;
}

void Thread::join() {
  if (!running_) return;
  pthread_join(thread_, nullptr);
  running_ = false;
}

void* Thread::enter(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->body_(thread->context_);
  return nullptr;
}

}  // namespace sluice::engine
