// IntrusiveList: connections in a row without allocation, O(1) to add and to remove.
#pragma once

namespace sluice::tcp {

template <typename T>
struct ListLinks {
  T* previous = nullptr;
  T* next = nullptr;
};

// The owner knows whether an element is in the list: adding twice or removing a stranger is wrong.
template <typename T, ListLinks<T> T::* kLinks>
class IntrusiveList {
 public:
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] T* first() const { return first_; }
  [[nodiscard]] static T* next(const T& element) { return (element.*kLinks).next; }

  void push_back(T& element) {
    (element.*kLinks) = {last_, nullptr};
    if (last_ != nullptr) {
      (last_->*kLinks).next = &element;
    } else {
      first_ = &element;
    }
    last_ = &element;
  }
  void remove(T& element) {
    ListLinks<T>& links = element.*kLinks;
    if (links.previous != nullptr) {
      (links.previous->*kLinks).next = links.next;
    } else {
      first_ = links.next;
    }
    if (links.next != nullptr) {
      (links.next->*kLinks).previous = links.previous;
    } else {
      last_ = links.previous;
    }
    links = {};
  }
  T* pop_front() {
    T* element = first_;
    if (element != nullptr) remove(*element);
    return element;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace sluice::tcp
