// SessionList: an intrusive list of sessions in order of joining. O(1) at every operation.
#pragma once

#include "udp/session.h"

namespace sluice::udp {

template <SessionLinks Session::* Links>
class SessionList {
 public:
  [[nodiscard]] Session* oldest() const { return first_; }
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] static Session* after(const Session& session) { return (session.*Links).next; }

  void push_back(Session& session) {
    session.*Links = {last_, nullptr};
    if (last_ != nullptr) {
      (last_->*Links).next = &session;
    } else {
      first_ = &session;
    }
    last_ = &session;
  }

  void remove(Session& session) {
    const SessionLinks links = session.*Links;
    if (links.previous != nullptr) {
      (links.previous->*Links).next = links.next;
    } else {
      first_ = links.next;
    }
    if (links.next != nullptr) {
      (links.next->*Links).previous = links.previous;
    } else {
      last_ = links.previous;
    }
    session.*Links = {};
  }

  [[nodiscard]] Session* pop_front() {
    Session* session = first_;
    if (session != nullptr) remove(*session);
    return session;
  }

 private:
  Session* first_ = nullptr;
  Session* last_ = nullptr;
};

}  // namespace sluice::udp
